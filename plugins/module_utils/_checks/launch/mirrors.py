# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of the cluster that are made of paths of Vault, and what they hold now."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import copies
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored

# Where ExternalSecrets are, by the path that they read.
Readers = Mapping[tuple[str, str], str]

OPTIONS: dict[str, Any] = {
    "path": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "secret": {"type": "str", "required": True, "no_log": False},
    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "names": {"type": "dict", "default": {}},
    "made": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "kept": {"type": "bool", "default": False},
    "permanent": {"type": "list", "elements": "str", "default": []},
}


@dataclass(frozen=True)
class Mirror:
    """A path of Vault, and the Secret that an ExternalSecret of the same name makes of its `keys`.

    `names` says what the Secret calls a key, where that differs. Those `made` are generated once, and those `permanent` are
    what data is encrypted with. What is `kept` a Mastodon has had since it was launched.
    """

    mount: str
    path: str
    namespace: str
    secret: str
    keys: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)
    made: Sequence[str] = ()
    kept: bool = False
    permanent: Sequence[str] = ()

    @classmethod
    def of(cls, option: Mapping[str, Any], mount: str, namespace: str) -> Mirror:
        """Read an option with OPTIONS."""
        return cls(
            mount,
            option["path"],
            option["namespace"] or namespace,
            option["secret"],
            option["keys"],
            option["names"],
            option["made"],
            option["kept"],
            option["permanent"],
        )

    def __str__(self) -> str:
        """Return how errors call the path."""
        return f"Vault path {self.mount}/{self.path}"

    @property
    def place(self) -> tuple[str, str]:
        """Return where the Secret is."""
        return self.namespace, self.secret

    def command(self, stored: Stored, keys: Iterable[str]) -> str:
        """Return the command that writes these keys of the Secret to the path."""
        names = {self.names.get(key, key): key for key in keys}
        return copies.from_cluster(self.mount, self.path, stored, "/".join(self.place), names)


@dataclass(frozen=True)
class Held:
    """What the Secret of a Mirror holds, by the keys of its path. `own` is when its ExternalSecret made it."""

    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: bool = False


def doubled(all_of_them: Iterable[Mirror]) -> list[str]:
    """Return one sentence for each Secret that two paths would be written into by turns, such as the keys and a password."""
    paths: dict[tuple[str, str], str] = {}
    found = []
    for mirror in all_of_them:
        first = paths.setdefault(mirror.place, mirror.path)
        if first != mirror.path:
            remedy = "Set what it is called after, such as dragonfly_name, to a name of its own."
            why = f"{first} and {mirror.path}"
            found.append(
                str(
                    MastodonError(
                        f"Secret {'/'.join(mirror.place)}", "would be made of two paths of Vault", why, remedy
                    )
                )
            )
    return found


def held(view: ClusterView, mirror: Mirror) -> Held:
    """Read the Secret of a Mirror."""
    secret = view.one(kinds.SECRET, mirror.secret, mirror.namespace)
    data: Mapping[str, str] = secret.get("data") or {}
    found = {key: data.get(mirror.names.get(key, key)) for key in mirror.keys}
    return Held({key: _decoded(value) for key, value in found.items() if value}, _is_own(secret, mirror.secret))


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode(errors="replace")


def _is_own(secret: Object, name: str) -> bool:
    # By name, as External Secrets itself does:
    # https://github.com/external-secrets/external-secrets/blob/v2.9.0/pkg/controllers/externalsecret/externalsecret_controller.go
    owners = at(secret, "metadata.ownerReferences", [])
    return any(owner.get("kind") == "ExternalSecret" and owner.get("name") == name for owner in owners)


def readers(external: Iterable[Object]) -> dict[tuple[str, str], str]:
    """Return the path that each ExternalSecret reads, of which ours read one."""
    found = {}
    for item in external:
        keys = [at(entry, "remoteRef.key", "") for entry in at(item, "spec.data", [])]
        found[item["metadata"]["namespace"], item["metadata"]["name"]] = keys[0] if keys else ""
    return found


def synced(external: Iterable[Object]) -> frozenset[tuple[str, str]]:
    """Return where ExternalSecrets are that have made their Secret."""
    return frozenset(
        (item["metadata"]["namespace"], item["metadata"]["name"]) for item in external if at(item, "status.refreshTime")
    )


def refuse_overwriting(mirror: Mirror, stored: Stored, secret: Held) -> None:
    """Raise MastodonError when an ExternalSecret would take over a Secret that it did not make, and change it."""
    lost = [key for key in mirror.keys if key in secret.data and secret.data[key] != stored.data.get(key)]
    if secret.own or not lost:
        return
    namespace, name = mirror.place
    raise MastodonError(
        f"Secret {namespace}/{name}",
        f"was not created from {mirror}",
        f"it would be overwritten, and holds another {', '.join(lost)}",
        f"If the Secret is right, write it to Vault: {mirror.command(stored, lost)}; if not, "
        f"delete it: kubectl delete secret -n {namespace} {name}.",
    )
