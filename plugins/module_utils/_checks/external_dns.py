# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an external-dns may write under its owner's name, seen from what runs on the cluster.

The owner in TXT records is all by which external-dns distinguishes its records from those of others:
https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

Item = Mapping[str, Any]

OPTIONS: Mapping[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
}


def examine(wanted: Item, objects: Api, catalog: Catalog) -> list[str]:
    """Read all HelmReleases for an option with OPTIONS and return one sentence for each thing that is wrong."""
    resource = catalog.find("helm.toolkit.fluxcd.io", "v2", "HelmRelease")
    releases = objects.read(Selection(resource)).objects if resource else ()
    return owner_problems(releases, wanted["namespace"], wanted["name"], wanted["owner"])


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
