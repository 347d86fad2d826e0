# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one look at the cluster shows before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.mirrors import (
    Mirror,
    Readers,
    readers,
    synced,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import Launched
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object


@dataclass(frozen=True)
class Scene:
    """What is wanted, and what the cluster holds.

    `all` are its Mastodons, `applied` what Flux runs, `external` its ExternalSecrets, `readers` the paths of Vault that those
    read, and `synced` those that have done it.
    """

    parameters: Mapping[str, Any]
    view: ClusterView
    all: Sequence[Launched]
    mirrors: Sequence[Mirror]
    applied: Sequence[Object]
    external: Sequence[Object]
    readers: Readers
    synced: frozenset[tuple[str, str]]
    store: Mapping[str, Any]

    def __str__(self) -> str:
        """Return how errors call the Mastodon that is wanted."""
        return f"Mastodon {'/'.join(self.here)}"

    @property
    def here(self) -> tuple[str, str]:
        """Return namespace and name of the release."""
        return self.parameters["namespace"], self.parameters["name"]

    @property
    def mine(self) -> Launched | None:
        """Return the Mastodon that is where this one is wanted."""
        return next((one for one in self.all if (one.namespace, one.name) == self.here), None)

    @property
    def app(self) -> Mirror | None:
        """Return where the keys are."""
        return next((one for one in self.mirrors if one.permanent), None)


def read_scene(view: ClusterView, parameters: Mapping[str, Any]) -> Scene:
    """Read what the cluster holds."""
    releases, external = view.everywhere(kinds.HELM_RELEASE), view.everywhere(kinds.EXTERNAL_SECRET)
    # Who uses a Flux of others may have no right to look at it.
    makes_flux = any(one["kind"] == kinds.FLUX[1] for one in parameters["operators"])
    store = parameters["places"]["store"]
    namespace, name = parameters["namespace"], parameters["name"]
    return Scene(
        parameters,
        view,
        record.read(view, releases, namespace, name),
        [Mirror.of(one, parameters["mount"], namespace) for one in parameters["secrets"]],
        [*releases, *(view.everywhere(kinds.FLUX) if makes_flux else ())],
        external,
        readers(external),
        synced(external),
        view.one(kinds.STORE, store) if store else {},
    )
