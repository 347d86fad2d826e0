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
LATE = Fault(
    "renewal-late",
    Verdict.NOTE,
    "shows a certificate that should have been renewed",
    "When it ends, servers can neither deliver nor fetch.",
    Cause("its renewal is stuck", "kubectl get certificate,order,challenge -A"),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Judge what each address showed."""
    for host, probed in scene.probed.items():
        reached = [link for link in probed.links if not link.tcp]
        for link in reached:
            yield from _judged(link)
        if not reached:
            yield skipped(f"https://{host}", f"{host} was not reached")


def _judged(link: Link) -> Iterator[Finding]:
    subject, chain = f"https://{link.host} at {link.address}", certificates.read(link.chain)
    if link.tls:
        fault, fact = _refusal(link, chain)
        yield fault.at(subject, fact, host=link.host, address=link.address)
        return
    now = certificates.now()
    if any(one.has_expired(now) for one in chain):
        yield OLD_CHAIN.at(subject, _expired(chain), host=link.host, address=link.address)
    if chain and chain[0].is_late(now):
        days = chain[0].left(now).total_seconds() / 86400
        yield LATE.at(subject, f"{days:.1f} of {(chain[0].ends - chain[0].begins).days} days are left")
    else:
        yield fine(subject, "shows a certificate that is trusted", f"until {chain[0].ends:%Y-%m-%d}" if chain else "")


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


_ALL = (EXPIRED, WRONG_NAME, DEFAULT, NO_INTERMEDIATE, CHAIN_EXPIRED, OLD_CHAIN, UNTRUSTED, NO_TLS, LATE)
CHECK = Check("tls", __doc__, _ALL, look)
