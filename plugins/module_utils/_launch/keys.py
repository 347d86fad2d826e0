# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a Mastodon that runs: none may be missing in Vault, where it would be made anew, and some may never change.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.record import Launched
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

# Recorded beside the fingerprints, so that those made by another key are not taken for changed secrets.
_MADE_BY = "key"


@dataclass(frozen=True)
class Kept:
    """One path of Vault, and the Secret `namespace/name` that was made of it, if it is there.

    `permanent` names the keys that data in the database is encrypted with.
    """

    mount: str
    path: str
    keys: Sequence[str]
    permanent: Sequence[str]
    stored: Stored
    secret: str
    in_cluster: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Vault path {self.mount}/{self.path}"


def problems(launched: Launched, kept: Sequence[Kept], salt: str) -> list[str]:
    """Return one sentence for each path that lost something, or whose permanent keys are others than those at work."""
    found: list[str] = []
    for one in kept:
        try:
            _check_there(one)
            _check_same(one, launched, salt)
        except MastodonError as problem:
            found.append(str(problem))
    return found


def _check_there(one: Kept) -> None:
    lacking = [key for key in one.keys if not one.stored.data.get(key)]
    if not lacking:
        return
    what = "is deleted" if one.stored.gone else f"{', '.join(lacking)} missing" if one.stored.version else "is empty"
    raise MastodonError(str(one), what, "a Mastodon that runs was launched with it, so it is not made anew", _back(one))


def _back(one: Kept) -> str:
    if one.stored.gone:
        return f"Bring it back: bao kv undelete -mount={one.mount} -versions={one.stored.version} {one.path}."
    if not all(one.in_cluster.get(key) for key in one.keys):
        return "Restore it from a backup of Vault."
    namespace, name = one.secret.split("/")
    return (
        f"Write it back from the cluster: kubectl get secret -n {namespace} {name} -o json"
        f" | jq '.data | map_values(@base64d)' | bao kv put -mount={one.mount} {one.path} -"
    )


def _check_same(one: Kept, launched: Launched, salt: str) -> None:
    now = fingerprints([one], salt)
    comparable = launched.fingerprints if launched.fingerprints.get(_MADE_BY) == now.get(_MADE_BY) else {}
    for key in one.permanent:
        value = one.stored.data[key]
        recorded = comparable.get(key, now.get(key))
        if recorded == now.get(key) and one.in_cluster.get(key, value) == value:
            continue
        older = f" -version={one.stored.version - 1}" if one.stored.version > 1 else ""
        raise MastodonError(
            str(one),
            f"{key} is another one than Mastodon was launched with",
            "what is encrypted in the database could not be read any more",
            f"Put the right one back; an earlier version may hold it: bao kv get -mount={one.mount}{older} {one.path}.",
        )


def fingerprints(kept: Sequence[Kept], salt: str) -> dict[str, str]:
    """Return the fingerprints of all permanent keys, and by what they were made. Empty as long as there is nothing to make them by."""
    if not salt:
        return {}
    made: dict[str, Any] = {
        key: fingerprint(salt, one.path, key, one.stored.data[key])
        for one in kept
        for key in one.permanent
        if key in one.stored.data
    }
    return {**made, _MADE_BY: hashlib.sha256(salt.encode()).hexdigest()[:12]} if made else {}
