# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an external-dns may write under its owner's name, seen from what runs on the cluster.

The owner in TXT records is all by which external-dns distinguishes its records from those of others:
https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import asked_for
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import heritage
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served

Item = Mapping[str, Any]

OPTIONS: Mapping[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
    "values": {"type": "dict", "default": {}},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "nameserver": {"type": "str", "default": ""},
    "nameserver_port": {"type": "int", "default": 53},
}
# Which routes it writes records for.
_SCOPE = ("sources", "extraArgs.namespace", "extraArgs.gateway-name", "extraArgs.gateway-namespace")


def examine(wanted: Item, objects: Api, catalog: Catalog) -> list[str]:
    """Read all HelmReleases for an option with OPTIONS and return one sentence for each thing that is wrong."""
    releases = _read(objects, catalog, "helm.toolkit.fluxcd.io", "v2", "HelmRelease")
    place, values = (wanted["namespace"], wanted["name"]), wanted.get("values") or {}
    problems = owner_problems(releases, *place, wanted["owner"])
    routes = partial(_read, objects, catalog, "gateway.networking.k8s.io", "v1", "HTTPRoute")
    own = [one for one in releases if (one["metadata"]["namespace"], one["metadata"]["name"]) == place]
    for release in own if values else ():
        problems.extend(record_problems(release, values, routes))
    if not own and not problems and at(values, "policy", "") == "sync" and not _asked_for(values, routes()):
        problems.extend(first_problems(wanted, values))
    return problems


def _read(objects: Api, catalog: Catalog, group: str, version: str, kind: str) -> tuple[Item, ...]:
    return read_served(objects, catalog.find(group, version, kind))


def owner_problems(releases: Iterable[Item], namespace: str, name: str, owner: str) -> list[str]:
    """Return one sentence for each reason why release `namespace/name` must not write as `owner`.

    `releases` are all HelmReleases of the cluster.
    """
    problems = []
    for release in releases:
        metadata = release["metadata"]
        there = f"{metadata['namespace']}/{metadata['name']}"
        found = at(release, "spec.values.txtOwnerId", "")
        if at(release, "spec.chart.spec.chart") != "external-dns" or not found:
            continue
        if there == f"{namespace}/{name}" and found != owner:
            problems.append(
                f"HelmRelease {there}: writes records as owner {found}, and as {owner} would leave them all behind. "
                f"Set external_dns_owner_id to {found}, or external_dns_name to a name of your own."
            )
        if there != f"{namespace}/{name}" and found == owner:
            problems.append(
                f"HelmRelease {there}: writes records as owner {owner} too, and each would take the other's for its own. "
                "Set external_dns_owner_id to a name of your own."
            )
    return problems


def record_problems(release: Item, values: Item, routes: Callable[[], Iterable[Item]]) -> Iterator[str]:
    """Yield one sentence for each reason why a release must not get other values: it would orphan or delete all of its records."""
    there = f"HelmRelease {release['metadata']['namespace']}/{release['metadata']['name']}"
    before = at(release, "spec.values", {})
    (had, affix), (gets, other) = _affix(before), _affix(values)
    if before and (had, affix) != (gets, other):
        yield (
            f"{there}: notes its records with {had} {affix!r}, and with {gets} {other!r} would take none of them for its own. "
            f"Set external_dns_values to {{{had}: {affix!r}}}."
        )
    changed = [path for path in ("policy", *_SCOPE) if at(before, path, "") != at(values, path, "")]
    if at(values, "policy", "") == "sync" and changed and not _asked_for(values, routes()):
        yield (
            f"{there}: with policy sync it would delete the records of all hosts, as no route in namespace "
            f"{at(values, 'extraArgs.namespace', '')} is accepted by Gateway {'/'.join(_gateway(values))}. "
            "Set external_dns_policy to upsert-only until Mastodon's routes are there."
        )


def first_problems(wanted: Item, values: Item) -> Iterator[str]:
    """Yield why a first release must not delete yet: its owner has records from before, which no route asks for so far."""
    resolver = Resolver(wanted.get("nameserver", ""), wanted.get("nameserver_port", 53))
    affixes = at(values, "txtPrefix", ""), at(values, "txtSuffix", "")
    places = (name for host in wanted.get("hosts", ()) for name in heritage.names(host, *affixes))
    if found := next(
        (one for one in places if wanted["owner"] in heritage.owners(resolver.look(one, "TXT").records)), ""
    ):
        yield (
            f"HelmRelease {wanted['namespace']}/{wanted['name']}: with policy sync it would delete the records that owner "
            f"{wanted['owner']} has, as {found} says, until Mastodon's routes ask for them. Set external_dns_policy to upsert-only for "
            "the first run, or external_dns_owner_id to a name that no record has."
        )


def _affix(values: Item) -> tuple[str, str]:
    """Return what the names of TXT records have beside the host's: a prefix or a suffix, as external-dns refuses both."""
    suffix = at(values, "txtSuffix", "")
    return ("txtSuffix", suffix) if suffix else ("txtPrefix", at(values, "txtPrefix", ""))


def _gateway(values: Item) -> tuple[str, str]:
    return at(values, "extraArgs.gateway-namespace", ""), at(values, "extraArgs.gateway-name", "")


def _asked_for(values: Item, routes: Iterable[Item]) -> frozenset[str]:
    namespace = at(values, "extraArgs.namespace", "")
    return asked_for((route for route in routes if route["metadata"]["namespace"] == namespace), *_gateway(values))
