# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the database of a Mastodon that is to be upgraded whether it is ready, and its volumes whether they have room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import (
    cluster_view,
    database_gate,
    gate,
    stores,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.database_gate import Contents
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Reader
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.openers import opened_rows, opener_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# Of CloudNativePG: https://github.com/cloudnative-pg/cloudnative-pg/blob/v1.30.0/pkg/specs/volumes.go
_DATA = "/var/lib/postgresql/data"


@dataclass(frozen=True)
class Gate:
    """What it takes to ask. `servers` lead to the database, `vault` to the keys of what is encrypted in it."""

    scene: Scene
    servers: stores.Asked
    vault: Vault
    connection: Connection

    def problems(self, wanted: Release) -> list[str]:
        """Return what in the database speaks against an upgrade, if this is one. What cannot be asked is said."""
        running, store = gate.running_before(self.scene.mine, wanted), self.scene.parameters["postgresql"]
        if running is None or not store or not store["direct_host"]:
            return []
        subject = f"PostgreSQL {store['direct_host']}"
        try:
            found = self.servers.contents(
                store, lambda reader: database_gate.look(reader, running, wanted, self._sealed)
            )
        except stores.NotAskedError as error:
            skipped = "skipped the look into {} before the upgrade, which cannot be asked from here: {}"
            self.servers.say(skipped.format(error.subject, error.why))
            return []
        except MastodonError as error:
            return [str(error)]
        if found.pooled is None:
            self.servers.say(f"skipped: whether {subject} is a pooler is not known")
        for session in database_gate.others(found, store["username"]):
            said = f"{subject} has another client, which may block migrations: {session}. Stop it for the upgrade."
            self.servers.say(said)
        accepted = self.scene.parameters["accepted"]
        refused = database_gate.problems(subject, found, running, wanted, accepted)
        return [str(one) for one in (*refused, *self._room(found))]

    def _sealed(self, reader: Reader) -> Sequence[str]:
        needs("cryptography")
        app = self.scene.app
        return opened_rows(reader, opener_at(self.vault, app.mount, app.path))[1] if app else ()

    def _room(self, found: Contents) -> list[MastodonError]:
        """Return which instances have no room for what migrations write. Of a server of the user's nothing is known."""
        namespace, _unused, name = str(self.scene.parameters["postgresql"]["cluster"]).partition("/")
        cluster = self.scene.view.one(cluster_view.DATABASE, name, namespace) if name else {}
        instances = at(cluster, "status.instanceNames", [])
        if not instances:
            self.servers.say("skipped: free space of the database, whose volumes are not seen from here")
        left = {f"Pod {namespace}/{one}": self._free(namespace, one) for one in instances}
        return list(database_gate.crowded({pod: free for pod, free in left.items() if free is not None}, found.largest))

    def _free(self, namespace: str, pod: str) -> int | None:
        """Return how many bytes an instance has left, None where it does not say, which is said."""
        try:
            done = pods.run(
                self.connection, namespace, pod, "postgres", ["df", "--block-size=1", "--output=avail", _DATA]
            )
            return int(done.stdout.split()[-1])
        except (MastodonError, ValueError, IndexError) as error:
            self.servers.say(f"skipped: free space of Pod {namespace}/{pod}, which does not say it: {error}")
            return None
