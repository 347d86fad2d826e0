# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and check-and-set writing of KV version 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import checked, texts
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from hvac import exceptions

_NOTHING: dict[str, str] = {}


@dataclass(frozen=True)
class Stored:
    """A version of a path, number 0 when there is none, and when it was `written`.

    `gone` is when it was deleted, which can be undone unless it was `destroyed`. Where nothing is `mounted` nothing can be written.
    """

    version: int = 0
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    gone: str = ""
    destroyed: bool = False
    mounted: bool = True
    written: str = ""


class LostRaceError(Exception):
    """Somebody else wrote the path between our read and our write."""


def how_to_give(mount: str, path: str, keys: Sequence[str], *, is_there: bool, mounted: bool = True) -> str:
    """Return the remedy for keys that only people can write, so that no value lands on a command line."""
    example = "{" + ", ".join(f'"{key}": "…"' for key in keys) + "}"
    enable = "" if mounted else f"bao secrets enable -path={mount} -version=2 kv, then "
    return f"Run {enable}bao kv {'patch' if is_there else 'put'} -mount={mount} {path} - and type {example} and Ctrl-D."


def read(vault: Vault, mount: str, path: str, version: int | None = None) -> Stored:
    """Return what is stored at the path, the newest version unless one is named. Raises MastodonError when it may not be read."""
    rule = f'path "{mount}/data/{path}" {{ capabilities = ["read"] }}'
    return vault.call(f"reading {mount}/{path}", rule, lambda: _stored(vault, f"/v1/{mount}/data/{path}", version))


def _stored(vault: Vault, path: str, version: int | None) -> Stored:
    try:
        answer = vault.api.adapter.get(path, params={"version": version} if version is not None else {})
    except exceptions.InvalidPath as error:
        # So it is answered, too, of a version that was deleted.
        answer = error.json if isinstance(error.json, dict) else {}
        if not answer.get("data"):
            # https://github.com/openbao/openbao/blob/main/vault/router.go
            return Stored(mounted="no handler for route" not in str(error))
    metadata = checked(answer, "data", "metadata", kind=dict)
    # A version that is still readable may have a time at which it is to be deleted.
    gone = checked(metadata, "deletion_time", kind=str, default="") or "an unknown time"
    data = checked(answer, "data", "data", kind=dict, default=_NOTHING)
    destroyed = checked(metadata, "destroyed", kind=bool, default=False)
    number = checked(metadata, "version", kind=int)
    written = checked(metadata, "created_time", kind=str, default="")
    if data is _NOTHING:
        return Stored(number, {}, gone, destroyed, written=written)
    return Stored(number, data, "", destroyed, written=written)


def below(vault: Vault, mount: str, folder: str) -> Iterator[str]:
    """Yield every path in a folder and its folders, deleted ones too. Raises MastodonError when they may not be listed."""
    rule = f'path "{mount}/metadata/{folder}/*" {{ capabilities = ["list"] }}'
    for name in vault.call(f"listing {mount}/{folder}", rule, lambda: _named(vault, f"/v1/{mount}/metadata/{folder}/")):
        path = f"{folder}/{name.rstrip('/')}"
        if name.endswith("/"):
            yield from below(vault, mount, path)
        else:
            yield path


def _named(vault: Vault, path: str) -> list[str]:
    try:
        return texts(vault.api.adapter.list(path), "data", "keys")
    except exceptions.InvalidPath:
        return []


def older(vault: Vault, mount: str, path: str, newest: Stored) -> Iterator[Stored]:
    """Yield the versions before `newest` that are there, or can be brought back, the latest of them first.

    However many a mount keeps, it lets go of the oldest first: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#max_versions
    """
    for version in range(newest.version - 1, 0, -1):
        found = read(vault, mount, path, version)
        if not found.version:
            return
        if not found.destroyed:
            yield found


def write(vault: Vault, mount: str, path: str, data: Mapping[str, str], version: int) -> int:
    """Write a new version on top of `version` and return its number. Raises LostRaceError when that is not the newest any more."""
    capability = "update" if version else "create"
    rule = f'path "{mount}/data/{path}" {{ capabilities = ["{capability}"] }}'
    try:
        return vault.call(f"writing {mount}/{path}", rule, lambda: _written(vault, mount, path, data, version))
    except MastodonError as error:
        if "check-and-set" in error.why:
            raise LostRaceError from error
        raise


def _written(vault: Vault, mount: str, path: str, data: Mapping[str, str], version: int) -> int:
    answer = vault.api.secrets.kv.v2.create_or_update_secret(path, dict(data), cas=version, mount_point=mount)
    return checked(answer, "data", "version", kind=int)
