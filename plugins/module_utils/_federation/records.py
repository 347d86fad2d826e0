# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records beside addresses: signatures, aliases, who may issue certificates, and which external-dns owns what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked
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

_KINDS = ("A", "AAAA", "CNAME")
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
OTHER_OWNER = Fault(
    "other-owner",
    Verdict.NOTE,
    "has a record of another external-dns",
    "When the gateway gets another address, the record stays as it is.",
    Cause(
        "another cluster, or an older owner, wrote it, and external-dns leaves alone what it does not own",
        "dig +short TXT {name}",
    ),
)
TWO_OWNERS = Fault(
    "two-owners",
    Verdict.CUT,
    "has a record of two owners",
    "Each takes the other's record for wrong, or leaves it: it leads here and there by turns.",
    Cause("two external-dns write the same name", "dig +short TXT {name}"),
)
LEFT_OVER = Fault(
    "owner-left-over",
    Verdict.NOTE,
    "has records of different owners for different types of record",
    "Nothing, where one of them was left behind by an owner that is gone: it only says so of a record that is not there.",
    Cause(
        "the host had another type of record before, and its owner removes nothing, as with policy upsert-only",
        "dig +short TXT {name}, and remove it where that external-dns is gone.",
    ),
)
BY_INGRESS = Fault(
    "owned-by-ingress",
    Verdict.NOTE,
    "has a record that was written for an Ingress",
    "While the Ingress is there, the record follows it and not the route.",
    Cause("the host was moved from an Ingress to a route, and the Ingress still claims it", "kubectl get ingress -A"),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Judge each host by its records."""
    for host in scene.target.hosts:
        yield from _signed(scene, host)
        yield from _alias(scene, host)
        yield _issuers(scene, host)
        yield from _owners(scene, host)


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


def _owners(scene: Scene, host: str) -> Iterator[Finding]:
    """Read external-dns' own records: https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/."""
    names = (
        [_owner_name(scene.target.txt_prefix, host, kind) for kind in _KINDS]
        if scene.target.owner or scene.target.txt_prefix
        else [f"a-{host}", host]
    )
    by_name = {name: _heritage(scene, name) for name in dict.fromkeys(names)}
    found = {owner: resource for owners in by_name.values() for owner, resource in owners.items()}
    wanted, name = scene.target.owner, next((name for name, owners in by_name.items() if owners), names[0])
    listed = ", ".join(
        f"{shown(owner, 60)} for {shown(resource, 80) or 'nothing'}" for owner, resource in found.items()
    )
    if twice := next((name for name, owners in by_name.items() if len(owners) > 1), ""):
        yield TWO_OWNERS.at(host, listed, name=twice)
    elif found and wanted and wanted not in found:
        yield OTHER_OWNER.at(host, f"{listed}, and not {shown(wanted, 60)}", name=name)
    elif len(found) > 1:
        others = [name for name, owners in by_name.items() if owners and wanted not in owners]
        yield LEFT_OVER.at(host, listed, name=others[0])
    elif any(resource.startswith("ingress/") for resource in found.values()):
        yield BY_INGRESS.at(host, listed)
    elif found:
        yield fine(host, "has a record of external-dns", listed)
    elif wanted:
        yield skipped(host, f"no record says which external-dns owns it, where {wanted} would write one")


def _heritage(scene: Scene, name: str) -> dict[str, str]:
    """Return what external-dns says at a name, which is of one type of record: owners, and what for."""
    texts = [text for text in sorted(scene.look_up(name, "TXT").records) if "heritage=external-dns" in text]
    return {_part(text, "owner"): _part(text, "resource") for text in texts}


def _owner_name(prefix: str, host: str, kind: str) -> str:
    """Return where external-dns writes the owner of a record.

    https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/#prefixes-and-suffixes
    """
    if "%{record_type}" in prefix:
        return f"{prefix.replace('%{record_type}', kind.lower())}{host}"
    return f"{prefix}{kind.lower()}-{host}"


def _part(text: str, key: str) -> str:
    found = re.search(rf"external-dns/{key}=([^,\"]*)", text)
    return found[1] if found else ""


_ALL = (BOGUS, DANGLING, CAA_FAILS, CAA_FORBIDS, OTHER_OWNER, TWO_OWNERS, LEFT_OVER, BY_INGRESS)
CHECK = Check("records", __doc__, _ALL, look)
