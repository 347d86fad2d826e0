# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other Mastodons of the cluster: two on one domain, or with one name for what is not in a namespace, break each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.mirrors import Mirror, Readers
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import Launched
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

Place = tuple[str, str]

_APP = "-app"


def on_the_domain(
    launched: Iterable[Launched], keys: Mirror | None, readers: Readers, here: Place, hosts: Collection[str]
) -> list[str]:
    """Return one sentence for each other Mastodon that has one of the `hosts`, or reads this one's keys."""
    found = {
        (one.namespace, one.name): _second(one, here, host)
        for one in launched
        for host in (one.web_domain, one.local_domain)
        if host in hosts
    }
    for (namespace, name), path in readers.items():
        other = namespace, name.removesuffix(_APP)
        if keys and path == keys.path and name.endswith(_APP):
            found.setdefault(other, _left(other, here, f"ExternalSecret {namespace}/{name}"))
    return [message for other, message in sorted(found.items()) if other != here]


def _second(one: Launched, here: Place, host: str) -> str:
    why = f"a second one at {'/'.join(here)} would be empty, and take its addresses away"
    # Never advised for one that runs: it would be gone.
    delete = "" if one.installed else f", or delete HelmRelease {one.namespace}/{one.name}, which was never installed"
    remedy = f"Set {_back((one.namespace, one.name), here)}{delete}."
    return str(MastodonError(str(one), f"has {host} already", why, remedy))


def _left(other: Place, here: Place, reader: str) -> str:
    why = f"{reader} reads them, of a Mastodon that was there"
    settings = f"{_back(other, here)}, or vault_path to a folder of its own"
    remedy = f"Set {settings}; if nothing of the other is left, delete {reader}."
    return str(MastodonError(f"Mastodon {'/'.join(here)}", "would be the second one with the same keys", why, remedy))


def _back(other: Place, here: Place) -> str:
    pairs = zip(("mastodon_namespace", "mastodon_name"), other, here, strict=True)
    return " and ".join(f"{setting} to {value}" for setting, value, wanted in pairs if value != wanted)


def on_the_store(store: Mapping[str, Any], wanted: Mapping[str, Any], namespace: str) -> list[str]:
    """Return one sentence when the ClusterSecretStore is that of another Mastodon."""
    role = at(store, "spec.provider.vault.auth.kubernetes.role", "")
    lets = {one for condition in at(store, "spec.conditions", []) for one in condition.get("namespaces") or []}
    if not role or role == wanted["vault_role"] or namespace in lets:
        return []
    used = f"it logs in as {role}, for {', '.join(sorted(lets)) or 'every namespace'}"
    return [_taken(f"ClusterSecretStore {wanted['store']}", used, "external_secrets_store")]


def on_the_names(
    mirrors: Iterable[Mirror], readers: Readers, old_folders: Collection[str], namespace: str
) -> list[str]:
    """Return one sentence for each ExternalSecret outside of this Mastodon's namespace that reads another one's secrets."""
    found = []
    for mirror in mirrors:
        read = readers.get(mirror.place, "").rpartition("/")[0]
        ours = (mirror.path.rpartition("/")[0], *(folder.partition("/")[2] for folder in old_folders))
        if mirror.namespace != namespace and read and read not in ours:
            setting = "what it is called after"
            found.append(_taken(f"ExternalSecret {'/'.join(mirror.place)}", f"it reads {read}", setting))
    return found


def _taken(subject: str, why: str, setting: str) -> str:
    remedy = f"Set mastodon_name, or {setting}, to a name of its own."
    return str(MastodonError(subject, "belongs to another Mastodon", why, remedy))
