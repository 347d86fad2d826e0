# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and check-and-set writing of KV version 2. This module util is PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    from hvac import exceptions


@dataclass(frozen=True)
class Stored:
    """The newest version of a path; version 0 when there is none. `gone` is when that version was deleted."""

    version: int = 0
    data: Mapping[str, str] = field(default_factory=dict, repr=False)
    gone: str = ""


class LostRaceError(Exception):
    """Somebody else wrote the path between our read and our write."""


def read(vault: Vault, mount: str, path: str) -> Stored:
    """Return what is stored at the path. Raises MastodonError when it may not be read."""
    rule = f'path "{mount}/data/{path}" {{ capabilities = ["read"] }}'
    try:
        answer = vault.call(
            f"reading {mount}/{path}",
            rule,
            lambda: vault.api.secrets.kv.v2.read_secret_version(
                path, mount_point=mount, raise_on_deleted_version=False
            ),
        )
    except exceptions.InvalidPath:
        return Stored()
    metadata: Mapping[str, Any] = answer["data"]["metadata"]
    gone = metadata.get("deletion_time") or ("an unknown time" if metadata.get("destroyed") else "")
    return Stored(int(metadata["version"]), dict(answer["data"]["data"] or {}), str(gone))


def write(vault: Vault, mount: str, path: str, data: Mapping[str, str], version: int) -> int:
    """Write a new version on top of `version` and return its number. Raises LostRaceError when that is not the newest any more."""
    capability = "update" if version else "create"
    rule = f'path "{mount}/data/{path}" {{ capabilities = ["{capability}"] }}'
    try:
        answer = vault.call(
            f"writing {mount}/{path}",
            rule,
            lambda: vault.api.secrets.kv.v2.create_or_update_secret(path, dict(data), cas=version, mount_point=mount),
        )
    except MastodonError as error:
        if "check-and-set" in error.why:
            raise LostRaceError from error
        raise
    return int(answer["data"]["version"])
