# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new password of a database that was made here: a second login has it first, so that Mastodon is never without one that is let in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import SECRET
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, second_login
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsal_origin import cluster_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import (
    Patience,
    Values,
    lets_in,
)

LABEL = "fediverse.mastodon/second-login-of"
# Its errors quote no statement. What it reads ends by a command, as nothing else ends it.
_PSQL = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-")
_END = "\n\\q\n"


@dataclass(frozen=True)
class Database:
    """A Cluster by its namespace and name, and what its clients use of it.

    `second` is namespace and name of the Secret that Mastodon has the second login from.
    """

    connection: Connection
    namespace: str
    name: str
    server: Server
    database: str
    owner: str
    second: tuple[str, str]
    patience: Patience

    def admit(self, current: Values, following: Values) -> str:
        """Create the second login and its Secret, and log in by it."""
        new, name = following["password"], second_login.name_of(self.owner)
        self._write(name, new)
        self._run(second_login.create(self.owner, new))
        self.patience.until(lambda: self._ask(name, following))
        return f"{self.server} lets {name} in by it"

    def dismiss(self, current: Values, previous: Values) -> str:
        """Prove the new password and that the old one is refused, and remove the second login."""
        self.patience.until(lambda: self._ask(self.owner, current), refused=True)
        if lets_in(partial(self._ask, self.owner), previous):
            raise MastodonError(str(self.server), "still lets the old password in", "", "Run again.")
        self._run(second_login.drop(self.owner))
        api = open_objects(self.connection)
        for item in self._secrets():
            api.delete(SECRET, item, dry_run=False)
        return f"{self.server} refuses the old one"

    def _ask(self, username: str, values: Values) -> None:
        found = postgresql_server.ask(self.server, username, values["password"], self.database)
        postgresql_server.verdict(self.server, found)

    def _run(self, sql: str) -> None:
        cluster = cluster_at(open_objects(self.connection), self.namespace, self.name)
        pod, subject = str(at(cluster, "status.currentPrimary", "")), f"Cluster {self.namespace}/{self.name}"
        if not pod:
            raise NotReadyError(subject, "has no primary", "", "Run fediverse.mastodon.site first.")
        command = [*_PSQL, f"--dbname={self.database}"]
        done = pods.run(self.connection, self.namespace, pod, "postgres", command, typed=f"{sql}{_END}")
        if done.code:
            raise MastodonError(
                subject, "cannot have a second login", done.stderr.strip(), "Look at it, and run again."
            )

    def _write(self, username: str, password: str) -> None:
        self._secrets()
        namespace, name = self.second
        body: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: self.name}},
            "stringData": {"username": username, "password": password},
        }
        open_objects(self.connection).apply(SECRET, body, manager=MANAGER, force=False, dry_run=False)

    def _secrets(self) -> tuple[Object, ...]:
        """Return the Secret, if it is there. Raises MastodonError for somebody's of that name."""
        found = open_objects(self.connection).read(Selection(SECRET, *self.second)).objects
        for item in found:
            if (item["metadata"].get("labels") or {}).get(LABEL) != self.name:
                remedy = f"It has not the label {LABEL}, so it is somebody's: rename it, or delete it."
                raise MastodonError(f"Secret {'/'.join(self.second)}", "is in the way", "", remedy)
        return tuple(found)
