# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners: which external-dns looks after the record of a host, by what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import heritage
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
# https://github.com/kubernetes-sigs/external-dns/issues/6223
HALF_CHANGED = Fault(
    "owner-half-changed",
    Verdict.NOTE,
    "has a record of another owner than other hosts of this instance",
    "When the gateway gets another address, this record stays as it is, and those of the other hosts follow.",
    Cause(
        "a change of owners stopped half-way, as external-dns does not find the record of the old one at the provider",
        "dig +short TXT {name}, and read external-dns' log for what it says of a previous record.",
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
    """Judge each host by who wrote its record."""
    found = {host: said(scene, host) for host in scene.target.hosts}
    ours = any(scene.target.owner in owners for names in found.values() for owners in names.values())
    for host, by_name in found.items():
        yield from _judged(scene, host, by_name, OTHER_OWNER if not ours else HALF_CHANGED)


def said(scene: Scene, host: str) -> Mapping[str, Mapping[str, str]]:
    """Return, by each name at which external-dns may say so, whose the host's record is, and what for."""
    target = scene.target
    is_declared = target.owner or target.txt_prefix or target.txt_suffix
    names = heritage.names(host, target.txt_prefix, target.txt_suffix) if is_declared else [f"a-{host}", host]
    return {name: heritage.owners(scene.look_up(name, "TXT").records) for name in dict.fromkeys(names)}


def is_ours(scene: Scene, host: str) -> bool:
    """Whether the declared external-dns says that it wrote the record of a host."""
    wanted = scene.target.owner
    return bool(wanted) and any(wanted in owners for owners in said(scene, host).values())


def _judged(scene: Scene, host: str, by_name: Mapping[str, Mapping[str, str]], other_owner: Fault) -> Iterator[Finding]:
    found = {owner: resource for owners in by_name.values() for owner, resource in owners.items()}
    wanted, name = scene.target.owner, next((name for name, owners in by_name.items() if owners), "")
    listed = ", ".join(
        f"{shown(owner, 60)} for {shown(resource, 80) or 'nothing'}" for owner, resource in found.items()
    )
    if twice := next((name for name, owners in by_name.items() if len(owners) > 1), ""):
        yield TWO_OWNERS.at(host, listed, name=twice)
    elif found and wanted and wanted not in found:
        yield other_owner.at(host, f"{listed}, and not {shown(wanted, 60)}", name=name)
    elif len(found) > 1:
        others = [name for name, owners in by_name.items() if owners and wanted not in owners]
        yield LEFT_OVER.at(host, listed, name=others[0])
    elif any(resource.startswith("ingress/") for resource in found.values()):
        yield BY_INGRESS.at(host, listed)
    elif found:
        yield fine(host, "has a record of external-dns", listed)
    elif wanted:
        yield skipped(host, f"no record says which external-dns owns it, where {wanted} would write one")
    else:
        yield fine(host, "is claimed by no external-dns")


_ALL = (OTHER_OWNER, HALF_CHANGED, TWO_OWNERS, LEFT_OVER, BY_INGRESS)
CHECK = Check("owners", __doc__, _ALL, look)
