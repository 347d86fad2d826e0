# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a Mastodon has in Vault, as one text: read from there, and written back without overwriting anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# What a file begins with, so that another one is not taken for it.
_FORMAT = "fediverse.mastodon/vault/1"


@dataclass(frozen=True)
class Export:
    """Paths below a mount with what they hold. `gone` are those whose newest version was deleted."""

    made: str
    mount: str
    secrets: Mapping[str, kv.Stored] = field(repr=False)
    gone: Sequence[str] = ()

    @property
    def versions(self) -> dict[str, int]:
        """Return which version each path had."""
        return {path: stored.version for path, stored in self.secrets.items()}

    @property
    def written(self) -> dict[str, str]:
        """Return when each was written: a number may come again after a path was removed whole."""
        return {path: stored.written for path, stored in self.secrets.items()}

    def text(self) -> bytes:
        """Return all of it, secrets included."""
        secrets = {path: {"version": one.version, "data": one.data} for path, one in self.secrets.items()}
        return json.dumps({"format": _FORMAT, "made": self.made, "mount": self.mount, "secrets": secrets}).encode()


def read(vault: Vault, mount: str, wanted: Iterable[str], made: str) -> Export:
    """Return what is at the wanted paths, of which one that ends with / is a folder. Raises MastodonError when nothing is."""
    names = {path for one in wanted for path in (kv.below(vault, mount, one[:-1]) if one.endswith("/") else (one,))}
    found = {path: kv.read(vault, mount, path) for path in sorted(names)}
    held = {path: stored for path, stored in found.items() if stored.version and not stored.gone}
    if not held:
        why = "no secret is there that could be backed up"
        raise MastodonError(f"Vault {mount}/{', '.join(sorted(wanted))}", "is empty", why, "Check vault_path.")
    return Export(made, mount, held, tuple(path for path, stored in found.items() if stored.gone))


def parse(text: bytes, file: str) -> Export:
    """Return what a file has. Raises MastodonError for any other file."""
    try:
        content: Any = json.loads(text)
        if checked(content, "format", kind=str) != _FORMAT:
            raise WrongShapeError("format")
        entries = checked(content, "secrets", kind=dict)
        secrets = {
            str(path): kv.Stored(checked(one, "version", kind=int), checked(one, "data", kind=dict))
            for path, one in entries.items()
        }
        return Export(checked(content, "made", kind=str), checked(content, "mount", kind=str), secrets)
    except (ValueError, WrongShapeError) as error:
        raise MastodonError(
            f"File {file}", "has no secrets of Vault", "", "Name a file that backup.yml wrote."
        ) from error


@dataclass(frozen=True)
class Plan:
    """What becomes of each path: `missing` are written, `same` hold it already, `kept` hold something else and stay so."""

    missing: Sequence[str]
    same: Sequence[str]
    kept: Sequence[str]


def plan(vault: Vault, mount: str, export: Export, keep: Sequence[str]) -> Plan:
    """Return what is to be written, once nothing would be lost. Raises MastodonError for all that is in the way."""
    live = {path: kv.read(vault, mount, path) for path in export.secrets}
    others = [path for path, stored in live.items() if stored.version and stored.data != export.secrets[path].data]
    if problems := [*_in_the_way(mount, export, live, [path for path in others if path not in keep])]:
        raise problems[0] if len(problems) == 1 else CombinedError(problems)
    missing = [path for path, stored in live.items() if not stored.version]
    return Plan(missing, [path for path in live if path not in missing and path not in others], others)


def _in_the_way(
    mount: str, export: Export, live: Mapping[str, kv.Stored], paths: Sequence[str]
) -> Iterator[MastodonError]:
    for path in paths:
        stored, subject = live[path], f"Vault path {mount}/{path}"
        if stored.gone:
            why = f"its version {stored.version} was deleted at {stored.gone}"
            back = f"kv undelete -mount={mount} -versions={stored.version} {path}"
            gone = f"kv metadata delete -mount={mount} {path}"
            remedy = f"Forget it: bao {gone}." if stored.destroyed else f"Bring it back: bao {back}."
        else:
            wanted = export.secrets[path].data
            keys = [key for key in sorted({*wanted, *stored.data}) if wanted.get(key) != stored.data.get(key)]
            why = f"it holds another {', '.join(keys)} than the file, and nothing is overwritten"
            remedy = f"If what Vault holds is right, name it in keep: {path}; otherwise remove it from Vault yourself."
        yield MastodonError(subject, "is not restored", why, remedy)


def restore(vault: Vault, mount: str, export: Export, paths: Iterable[str]) -> None:
    """Write what is missing. Raises MastodonError when somebody else writes one meanwhile."""
    for path in paths:
        try:
            kv.write(vault, mount, path, export.secrets[path].data, 0)
        except kv.LostRaceError as error:
            why = "somebody wrote it a moment ago"
            raise MastodonError(f"Vault path {mount}/{path}", "is not restored", why, "Run again.") from error
