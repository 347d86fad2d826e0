# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records beside addresses: signatures, aliases, and who may issue certificates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import certificates
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, Scene

_RENEWAL = (
    "Nothing yet: but no certificate is issued any more, and when this one ends, servers can neither deliver nor fetch."
)
# How authorities call themselves in certificates, and in CAA: https://www.ccadb.org/resources
_AUTHORITIES = {
    "Let's Encrypt": "letsencrypt.org",
    "Google Trust Services": "pki.goog",
    "ZeroSSL": "sectigo.com",
    "Sectigo": "sectigo.com",
    "DigiCert": "digicert.com",
    "Amazon": "amazon.com",
    "Buypass": "buypass.com",
}
BOGUS = Fault(
    "bogus-signatures",
    Verdict.CUT,
    "is signed in a way that cannot be right",
    "Servers whose name server checks signatures do not find this host at all; others do.",
    Cause(
        "signatures have expired, or the registrar has a DS record of a key that is gone",
        "dig +dnssec {subject}, and compare DS at the registrar with DNSKEY.",
    ),
)
DANGLING = Fault(
    "alias-to-nowhere",
    Verdict.CUT,
    "is an alias of a name that leads to no address",
    "No server can reach this host: deliveries fail, and are tried again for some days.",
    Cause("what the alias named is gone, such as a load balancer", "dig {subject}"),
)
CAA_FAILS = Fault(
    "caa-fails",
    Verdict.NOTE,
    "has name servers that fail when they are asked who may issue certificates",
    _RENEWAL,
    Cause(
        "the provider's name server knows no CAA, or says that a name without other records does not exist",
        "dig {subject} CAA",
    ),
)
CAA_FORBIDS = Fault(
    "caa-forbids",
    Verdict.NOTE,
    "lets other authorities issue certificates than the one that did",
    _RENEWAL,
    Cause("a CAA record names another authority", "dig {name} CAA, and add the authority's name."),
)

# https://cert-manager.io/docs/configuration/acme/dns01/#delegated-domains-for-dns01
CHALLENGES_FAIL = Fault(
    "challenges-to-nowhere",
    Verdict.NOTE,
    "has the name of its challenges in a zone that nobody answers for",
    _RENEWAL,
    Cause(
        "{name} is an alias, or delegated, to a zone that is gone or moved, so that challenges of DNS-01 are written where nobody asks",
        "dig +trace TXT {name}",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Judge each host by its records."""
    for host in scene.target.hosts:
        yield from _signed(scene, host)
        yield from _alias(scene, host)
        yield _issuers(scene, host)
        yield from _challenges(scene, host)


def _signed(scene: Scene, host: str) -> Iterator[Finding]:
    """Ask once as everybody, and once for what fails to be checked: https://www.rfc-editor.org/rfc/rfc4035#section-3.2.2."""
    asked = scene.look_up(host, "A")
    if asked.code == "SERVFAIL" and scene.look_up(host, "A", unchecked=True).is_answer:
        yield BOGUS.at(
            host, f"SERVFAIL{f', {asked.why}' if asked.why else ''}, and an answer to those who do not check"
        )


def _alias(scene: Scene, host: str) -> Iterator[Finding]:
    asked = [scene.look_up(host, kind) for kind in ("A", "AAAA")]
    chain = asked[0].aliases
    if chain and all(one.is_answer and not one.records for one in asked):
        yield DANGLING.at(host, shown(chain[-1]))
    elif chain:
        yield fine(host, "is an alias", " of ".join(shown(name, 80) for name in chain))


def _issuers(scene: Scene, host: str) -> Finding:
    """Climb to the first name that says who may issue: https://www.rfc-editor.org/rfc/rfc8659#section-3."""
    if not scene.probed[host].links:
        return skipped(host, "it leads nowhere, so that nobody issues a certificate for it")
    labels = host.split(".")
    for depth in range(len(labels) - 1):
        name = ".".join(labels[depth:])
        asked = scene.look_up(name, "CAA")
        if not asked.is_answer:
            return CAA_FAILS.at(
                host, f"{asked.code or 'no answer'} for CAA of {name}{f', {asked.why}' if asked.why else ''}"
            )
        if asked.records:
            return _allowed(scene, host, name, asked)
    return fine(host, "lets every authority issue certificates")


def _allowed(scene: Scene, host: str, name: str, asked: Looked) -> Finding:
    found = re.findall(r'^\d+ issue "([^";]*)', "\n".join(sorted(asked.records)), re.MULTILINE)
    allowed = [issuer.strip() for issuer in found]
    issuer = _authority(scene, host)
    listed = shown(", ".join(filter(None, allowed)) or "nobody")
    if issuer and found and issuer not in allowed:
        return CAA_FORBIDS.at(host, f"{listed} by CAA of {name}, and not {issuer}", name=name)
    return fine(host, f"lets these issue certificates, by CAA of {name}", listed if found else "everybody")


def _authority(scene: Scene, host: str) -> str:
    """Return how CAA calls the authority of the certificate that is shown, as far as it is known."""
    chains = [certificates.read(link.chain) for link in scene.probed[host].links if link.is_well]
    issuer = chains[0][0].issuer if chains and chains[0] else ""
    return next((name for words, name in _AUTHORITIES.items() if words in issuer), "")


def _challenges(scene: Scene, host: str) -> Iterator[Finding]:
    """Ask where certificates are proved by DNS-01, where all else of the host is answered; mostly there is nothing, which is fine."""
    if not scene.look_up(host, "A").is_answer:
        return
    name = f"_acme-challenge.{host}"
    asked = scene.look_up(name, "TXT")
    alias = f", an alias of {shown(asked.aliases[-1])}" if asked.aliases else ""
    if asked.code and not asked.is_answer:
        yield CHALLENGES_FAIL.at(host, f"{asked.code} for TXT of {name}{alias}", name=name)
    elif asked.aliases and not asked.records and _is_nobodys(scene, asked.aliases[-1]):
        yield CHALLENGES_FAIL.at(host, f"no zone for {name}{alias}", name=name)


def _is_nobodys(scene: Scene, name: str) -> bool:
    """Whether the nearest zone above a name is one of those that all domains are in, so that its own is not there."""
    try:
        return "." not in scene.resolver.zone_of(name)
    except MastodonError:
        return False


CHECK = Check("records", __doc__, (BOGUS, DANGLING, CAA_FAILS, CAA_FORBIDS, CHALLENGES_FAIL), look)
