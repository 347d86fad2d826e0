# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are made once: as long as a copy, or what was encrypted with them, is anywhere, they are not created again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import mirrors
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.mirrors import Held, Mirror
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import copies
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

# Recorded beside the fingerprints, so that those made by another key are not taken for changed secrets.
_MADE_BY = "key"


@dataclass(frozen=True)
class Kept:
    """One path of Vault as it is, and what the Secret that was made of it holds."""

    mirror: Mirror
    stored: Stored
    secret: Held

    @property
    def lacking(self) -> list[str]:
        """Return the keys that would be created again."""
        return [key for key in self.mirror.made if not self.stored.data.get(key)]


@dataclass(frozen=True)
class Past:
    """What is known of a Mastodon that was here: fingerprints of its keys, and what is left of it.

    `remains` looks for data that keys may have encrypted, and `backups` for such that could be restored, which takes time and is done
    only when they are lost.
    """

    recorded: Mapping[str, str]
    runs: bool
    remains: Callable[[], Sequence[str]]
    backups: Callable[[], Sequence[str]] = tuple


def problems(vault: Vault, kept: Sequence[Kept], past: Past, salt: str) -> list[str]:
    """Return one sentence for each path that lost something, or whose permanent keys are others than those at work."""
    found: list[str] = []
    for one in kept:
        try:
            _check_there(vault, one, past)
            _check_same(one, past.recorded, salt)
            mirrors.refuse_overwriting(one.mirror, one.stored, one.secret)
        except MastodonError as problem:
            found.append(str(problem))
    return found


def _check_there(vault: Vault, one: Kept, past: Past) -> None:
    mirror, stored, lacking = one.mirror, one.stored, one.lacking
    if not lacking:
        return
    if stored.gone and not stored.destroyed:
        remedy = f"Bring it back: {copies.undelete(mirror.mount, mirror.path, stored.version)}."
        raise MastodonError(
            str(mirror), "is deleted", f"version {stored.version} held it, so it is not created again", remedy
        )
    what = f"{', '.join(lacking)} missing" if stored.data else "is destroyed" if stored.destroyed else "is empty"
    held = [key for key in lacking if key in one.secret.data]
    if held:
        why = f"Secret {'/'.join(mirror.place)} holds it, so it is not created again"
        raise MastodonError(str(mirror), what, why, f"Write it back from the cluster: {mirror.command(stored, held)}")
    copies.refuse_older(vault, mirror.mount, mirror.path, stored, lacking)
    _refuse_after_launch(one, what, past)


def _refuse_after_launch(one: Kept, what: str, past: Past) -> None:
    restore = "Restore it from a backup of Vault"
    if one.stored.destroyed or (past.runs and one.mirror.kept):
        why = "a Mastodon that runs was launched with it, so it is not created again"
        raise MastodonError(str(one.mirror), what, why, f"{restore}.")
    left = past.remains() if one.mirror.permanent else []
    if left:
        why = f"{' and '.join(left)} may hold what nothing else can decrypt, so it is not created again"
        raise MastodonError(
            str(one.mirror), what, why, f"{restore}, or write it there. If nothing in it is needed, delete it first."
        )
    kept = past.backups() if one.mirror.permanent else []
    if kept:
        why = f"{' and '.join(kept)} could not be read without it, so it is not created again"
        anew = "To begin without that backup, set cnpg_begin_anew to the domain."
        raise MastodonError(str(one.mirror), what, why, f"{restore}, or write it there. {anew}")


def _check_same(one: Kept, recorded: Mapping[str, str], salt: str) -> None:
    mirror, stored = one.mirror, one.stored
    now = fingerprints([one], salt)
    comparable = recorded if recorded.get(_MADE_BY) == now.get(_MADE_BY) else {}
    for key in mirror.permanent:
        value = stored.data.get(key)
        known = comparable.get(key, now.get(key))
        if value is None or (known == now.get(key) and one.secret.data.get(key, value) == value):
            continue
        older = f" -version={stored.version - 1}" if stored.version > 1 else ""
        raise MastodonError(
            str(mirror),
            f"{key} is not the one that Mastodon was launched with",
            "what is encrypted in the database could not be read any more",
            f"Put the right one back; an earlier version may hold it: bao kv get -mount={mirror.mount}{older} {mirror.path}.",
        )


def fingerprints(kept: Iterable[Kept], salt: str) -> dict[str, str]:
    """Return the fingerprints of all permanent keys, and by what they were made. Empty as long as there is nothing to make them by."""
    if not salt:
        return {}
    made: dict[str, Any] = {
        key: fingerprint(salt, one.mirror.path, key, one.stored.data[key])
        for one in kept
        for key in one.mirror.permanent
        if key in one.stored.data
    }
    return {**made, _MADE_BY: hashlib.sha256(salt.encode()).hexdigest()[:12]} if made else {}
