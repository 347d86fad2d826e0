# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS at each address of each host: whether other servers trust what it shows, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import certificates
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import Certificate
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene

_CUT = "Servers that connect there can neither deliver nor fetch, and try again for some days."
_SHOW = "openssl s_client -connect {address}:443 -servername {host} -showcerts </dev/null"
EXPIRED = Fault(
    "expired",
    Verdict.CUT,
    "shows a certificate that has expired",
    _CUT,
    Cause(
        "its renewal is stuck, or the gateway did not load the new one", "kubectl get certificate,order,challenge -A"
    ),
)
WRONG_NAME = Fault(
    "wrong-name",
    Verdict.CUT,
    "shows a certificate of other names",
    _CUT,
    Cause(
        "the certificate was made without this host; a star in it stands for one label only",
        "Add {host} to the names of the certificate.",
    ),
)
DEFAULT = Fault(
    "default-certificate",
    Verdict.CUT,
    "shows a certificate that nobody but itself vouches for",
    _CUT,
    Cause(
        "the Secret of the gateway's listener is not there, or may not be used from its namespace",
        "kubectl describe gateway -A, and look for ResolvedRefs of the listener for {host}.",
    ),
)
NO_INTERMEDIATE = Fault(
    "intermediate-missing",
    Verdict.CUT,
    "shows its own certificate without the one that issued it",
    "Servers cannot deliver or fetch; browsers, which find the missing one by themselves, show nothing of it.",
    Cause("the Secret has the certificate alone, and not its chain", _SHOW),
)
CHAIN_EXPIRED = Fault(
    "chain-expired",
    Verdict.CUT,
    "shows a chain of which a part has expired",
    _CUT,
    Cause("an old chain is sent with a new certificate", _SHOW),
)
OLD_CHAIN = Fault(
    "chain-partly-expired",
    Verdict.SOME,
    "shows a chain of which a part has expired, and is trusted by another way",
    "Servers with OpenSSL 1.0 or GnuTLS of before 2020 do not find that way.",
    Cause("an old cross-signed certificate is still sent", _SHOW),
)
UNTRUSTED = Fault(
    "unknown-authority",
    Verdict.CUT,
    "shows a certificate of an authority that others do not know",
    _CUT,
    Cause(
        "a private or test authority issued it",
        "Let an authority issue it that the world knows, or declare ca_certificates.",
    ),
)
NO_TLS = Fault(
    "no-tls",
    Verdict.CUT,
    "does not begin TLS",
    _CUT,
    Cause("no listener speaks TLS there, or none for this host", _SHOW),
)
# https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant
NO_LISTENER = Fault(
    "listener-dead",
    Verdict.CUT,
    "does not begin TLS, where other hosts at this address do",
    _CUT,
    Cause(
        "the gateway's listener for {host} is dead: its certificate is in another namespace without a ReferenceGrant, or not there",
        "kubectl describe gateway -A, and look for ResolvedRefs of the listener for {host}.",
    ),
)
NOT_LOADED = Fault(
    "old-certificate",
    Verdict.CUT,
    "shows a certificate that has expired, where another address shows one that has not",
    _CUT,
    Cause(
        "the gateway at {address} did not load the new certificate, or has another Secret of that name",
        _SHOW + ", and start that gateway's pods anew.",
    ),
)
OLD_BESIDE_NEW = Fault(
    "old-certificate-soon",
    Verdict.NOTE,
    "still shows a certificate that should have been renewed, where another address shows the new one",
    "When it ends, servers that connect there can neither deliver nor fetch.",
    NOT_LOADED.cause,
)
# https://github.com/cert-manager/cert-manager/issues/5193
ALL_LATE = Fault(
    "all-renewals-late",
    Verdict.NOTE,
    "shows a certificate that should have been renewed, and so do all hosts with certificates of their own",
    "When they end, servers can neither deliver nor fetch, with any of them.",
    Cause(
        "one challenge that is stuck holds up all others, or the authority says that it was asked too often",
        "kubectl get challenge,order -A, and read the oldest one's reason.",
    ),
)
LATE = Fault(
    "renewal-late",
    Verdict.NOTE,
    "shows a certificate that should have been renewed",
    "When it ends, servers can neither deliver nor fetch.",
    Cause("its renewal is stuck", "kubectl get certificate,order,challenge -A"),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Judge what each address showed."""
    links = [link for probed in scene.probed.values() for link in probed.links]
    for host, probed in scene.probed.items():
        reached = [link for link in probed.links if not link.tcp]
        for link in reached:
            yield from _judged(link, links)
        if not reached:
            yield skipped(f"https://{host}", f"{host} was not reached")


def _judged(link: Link, links: Sequence[Link]) -> Iterator[Finding]:
    subject, chain = f"https://{link.host} at {link.address}", certificates.read(link.chain)
    named = {"host": link.host, "address": link.address}
    if link.tls:
        fault, fact = _refusal(link, chain)
        yield _compared(fault, link, links).at(subject, fact, **named)
        return
    now = certificates.now()
    if any(one.has_expired(now) for one in chain):
        yield OLD_CHAIN.at(subject, _expired(chain), **named)
    if chain and chain[0].is_late(now):
        days = chain[0].left(now).total_seconds() / 86400
        fact = f"{days:.1f} of {(chain[0].ends - chain[0].begins).days} days are left"
        yield _compared(LATE, link, links).at(subject, fact, **named)
    else:
        yield fine(subject, "shows a certificate that is trusted", f"until {chain[0].ends:%Y-%m-%d}" if chain else "")


def _compared(fault: Fault, link: Link, links: Sequence[Link]) -> Fault:
    """Return the fault that says more of why, by what others show: the same host elsewhere, or other hosts."""
    if fault is NO_TLS:
        return NO_LISTENER if any(one.address == link.address and one.chain for one in links) else fault
    if fault not in (EXPIRED, LATE):
        return fault
    now = certificates.now()
    own = [(one.host, certificates.read(one.chain)[0]) for one in links if not one.tls and one.chain]
    good = [host for host, certificate in own if not certificate.is_late(now)]
    if link.host in good:
        return NOT_LOADED if fault is EXPIRED else OLD_BESIDE_NEW
    late = {certificate.serial for _unused, certificate in own}
    return ALL_LATE if fault is LATE and not good and len(late) > 1 else fault


def _refusal(link: Link, chain: Sequence[Certificate]) -> tuple[Fault, str]:
    """Return why a certificate is not trusted: what is wrong with it by itself before what is wrong with its issuer."""
    if not chain:
        return NO_TLS, shown(link.tls)
    now, own = certificates.now(), chain[0]
    if own.is_default or (len(chain) == 1 and own.is_own_issuer):
        return DEFAULT, f"{shown(own.subject, 80) or 'no subject'}, for {_names(own)}"
    if own.has_expired(now):
        return EXPIRED, f"on {own.ends:%Y-%m-%d %H:%M} UTC"
    if not own.is_for(link.host):
        return WRONG_NAME, _names(own)
    if len(chain) == 1:
        return NO_INTERMEDIATE, f"issued by {shown(own.issuer, 80)}"
    if any(one.has_expired(now) for one in chain):
        return CHAIN_EXPIRED, _expired(chain)
    return UNTRUSTED, f"issued by {shown(chain[-1].issuer, 80)}; {shown(link.tls)}"


def _names(certificate: Certificate) -> str:
    return ", ".join(shown(name, 60) for name in certificate.names[:6]) or "no name"


def _expired(chain: Sequence[Certificate]) -> str:
    ended = next(one for one in chain if one.has_expired(certificates.now()))
    return f"{shown(ended.subject, 80)}, on {ended.ends:%Y-%m-%d}"


_ALL = (
    *(EXPIRED, NOT_LOADED, WRONG_NAME, DEFAULT, NO_INTERMEDIATE, CHAIN_EXPIRED, OLD_CHAIN, UNTRUSTED),
    *(NO_TLS, NO_LISTENER, LATE, OLD_BESIDE_NEW, ALL_LATE),
)
CHECK = Check("tls", __doc__, _ALL, look)
