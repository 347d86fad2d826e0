# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.secret_refresh`: Secrets that are older than what Vault holds are read again at once.

External Secrets looks only at its interval. What a Secret holds is compared with what Vault holds, as neither a version nor a
time shows it: a value may be put back, and clocks differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import secret_users
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import (
    Object,
    Objects,
    Selection,
    open_objects,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import conditions_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "stores": {"type": "list", "elements": "str", "required": True},
        "wait_timeout": {"type": "int", "default": 600},
    }
)

_EXTERNAL_SECRET = Resource("external-secrets.io", "v1", "ExternalSecret", "externalsecrets", namespaced=True)
_STORE = Resource("external-secrets.io", "v1", "ClusterSecretStore", "clustersecretstores", namespaced=False)
# Any change of an annotation makes it read again: https://external-secrets.io/latest/api/externalsecret/#update-behavior
_FORCE = "force-sync"
_ASKER = f"{MANAGER}.request"
_PAUSE = 0.5
# What it means, of keys whose change is more than a new login.
_MEANS = {
    "secret-key-base": "everybody will be signed out",
    "vapid-private-key": "browsers will have to allow notifications again",
    "RESTIC_PASSWORD": "repositories open with the one they were made with, until restic key add adds this one",
}


@dataclass(frozen=True)
class Source:
    """An ExternalSecret: which key of which Secret is which value at which path of Vault."""

    subject: ObjectRef
    store: str
    secret: str
    values: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(cls, item: Object) -> Source:
        """Return what an object of the cluster says. Pinned versions never get older."""
        spec, subject = item["spec"], ObjectRef.of(item)
        remote = {one["secretKey"]: one["remoteRef"] for one in spec.get("data") or []}
        values = tuple(
            (key, ref["key"], ref.get("property", "")) for key, ref in remote.items() if not ref.get("version")
        )
        return cls(
            subject, spec["secretStoreRef"]["name"], (spec.get("target") or {}).get("name") or subject.name, values
        )

    def older(self, secret: Mapping[str, str], held: Mapping[str, Mapping[str, object]]) -> tuple[str, ...]:
        """Return the keys of which Vault holds other values, by path and name. What Vault has lost is kept."""
        newest = {key: held[path].get(name) for key, path, name in self.values}
        return tuple(
            key for key, value in sorted(newest.items()) if value is not None and secret.get(key) != str(value)
        )

    def line(self, keys: Sequence[str]) -> str:
        """Return what people read of keys that are older."""
        paths = sorted({path for key, path, _name in self.values if key in keys})
        means = [f"; {_MEANS[key]}" for key in keys if key in _MEANS]
        message = f"its Secret has an older {', '.join(keys)} than Vault path {', '.join(paths)}"
        return f"configured {self.subject}: {message} → asked External Secrets to read it again{''.join(means)}"

    def left(self, keys: Sequence[str]) -> str:
        """Return what people read of keys that stay older."""
        why = f"ClusterSecretStore {self.store} no longer admits its namespace, so that its Secret keeps an older"
        return f"skipped {self.subject}: {why} {', '.join(keys)}. Delete it if nothing needs it."


Older = Mapping[Source, tuple[str, ...]]


class Comparison:
    """What the Secrets of the stores hold, and what Vault holds."""

    def __init__(self, connection: Connection, server: vault.Vault, mount: str) -> None:
        self._connection = connection
        self._server = server
        self._mount = mount

    def older(self, sources: Sequence[Source]) -> Older:
        """Return those whose Secrets are there and older, with the keys."""
        paths = sorted({path for source in sources for _key, path, _name in source.values})
        held = dict(
            zip(paths, for_each(lambda path: kv.read(self._server, self._mount, path).data, paths), strict=True)
        )
        secrets = for_each(self._secret, sources)
        found = {source: source.older(secret, held) for source, secret in zip(sources, secrets, strict=True) if secret}
        return {source: keys for source, keys in found.items() if keys}

    def _secret(self, source: Source) -> Mapping[str, str]:
        secret = read_secret(self._connection, source.subject.namespace, source.secret)
        return secret.data if secret else {}


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, refreshed: [ExternalSecrets]}` when every Secret of the stores holds what Vault does."""
    connection, deadline = connect(parameters, run.environment), Deadline(parameters["wait_timeout"])
    objects = open_objects(connection, deadline, run.say)
    sources = _sources(objects, parameters["stores"])
    compared = Comparison(connection, vault.connect(parameters, run.environment), parameters["mount"])
    found = _admitted(objects, compared.older(sources), run)
    for source, keys in found.items():
        run.say(source.line(keys))
    if found and not run.check:
        users = secret_users.lines(objects, [(source.subject.namespace, source.secret) for source in found])
        for_each(lambda source: _ask(objects, source), found)
        _await(compared, list(found), objects, deadline, run)
        for line in users:
            run.say(line)
    return {"changed": bool(found), "refreshed": [str(source.subject) for source in found]}


def _sources(objects: Objects, stores: Sequence[str]) -> list[Source]:
    """Return the ExternalSecrets of ours that read from the stores; none where the cluster does not know the kind yet."""
    try:
        items = objects.read(Selection(_EXTERNAL_SECRET)).objects
    except ApiError as error:
        if error.status != 404:
            raise
        return []
    wanted = [{"kind": "ClusterSecretStore", "name": store} for store in stores]
    return [Source.of(item) for item in items if item["spec"].get("secretStoreRef") in wanted and is_ours(item)]


def _admitted(objects: Objects, found: Older, run: Run) -> Older:
    """Return those that their stores let read, and report the others, which whoever moved to another namespace has left."""
    items = objects.read(Selection(_STORE)).objects if found else ()
    stores = {item["metadata"]["name"]: item["spec"].get("conditions") or [] for item in items}
    admitted = {
        source: keys
        for source, keys in found.items()
        if _admits(stores.get(source.store, []), source.subject.namespace)
    }
    for source in found.keys() - admitted.keys():
        run.say(source.left(found[source]))
    return admitted


def _admits(conditions: Sequence[Mapping[str, Any]], namespace: str) -> bool:
    # One that holds is enough: https://external-secrets.io/latest/api/clustersecretstore/. What others than ours select is not ours to report.
    return not conditions or any(set(one) != {"namespaces"} or namespace in one["namespaces"] for one in conditions)


def _ask(objects: Objects, source: Source) -> None:
    notes = {_FORCE: datetime.now(UTC).isoformat()}
    objects.annotate(_EXTERNAL_SECRET, source.subject.namespace, source.subject.name, notes, _ASKER)


def _await(compared: Comparison, left: list[Source], objects: Objects, deadline: Deadline, run: Run) -> None:
    """Return when none of these is older any more. Raises CombinedError with one sentence for each that stays so."""
    reminder = Reminder(deadline, after=10)
    while left := list(compared.older(left)):
        if reminder.is_due():
            run.say(f"waiting for External Secrets to read {', '.join(str(source.subject) for source in left)}")
        if not deadline.pause(_PAUSE):
            raise CombinedError(for_each(lambda source: _late(objects, source, deadline.seconds), left))


def _late(objects: Objects, source: Source, seconds: float) -> MastodonError:
    subject = source.subject
    [item] = objects.read(Selection(_EXTERNAL_SECRET, subject.namespace, subject.name)).objects or ({},)
    ready = conditions_of(item).get("Ready")
    why = f"after {seconds:.0f} s Secret {subject.namespace}/{source.secret} still has an older value"
    message = f"{why}: {ready.text()}" if ready and ready.status != "True" else why
    remedy = "Check that External Secrets runs: kubectl get pods -A -l app.kubernetes.io/name=external-secrets."
    return MastodonError(str(subject), "does not follow Vault", message, remedy)


TASK = Task(ARGUMENTS, run_task)
