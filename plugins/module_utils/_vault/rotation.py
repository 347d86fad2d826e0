# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret on its way to another value, at its own path in Vault, each step by check-and-set.

`password-next` is the new value until it is proved; `password-previous` is the old one from the moment at which the new one took its place
until the old one opens nothing any more. So a run that was killed finds in Vault how far it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

NEXT, PREVIOUS = "-next", "-previous"


@dataclass(frozen=True)
class Rotation:
    """The keys of one path that change together, and what the path holds now. Those that `may_stay` need no next value."""

    mount: str
    path: str
    keys: tuple[str, ...]
    stored: kv.Stored
    may_stay: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Vault path {self.mount}/{self.path}"

    @property
    def current(self) -> Mapping[str, str]:
        """Return what is in use, as far as Vault says."""
        return self._of("")

    @property
    def following(self) -> Mapping[str, str]:
        """Return what is to be in use, empty while there is nothing."""
        given = self._of(NEXT)
        stay = {key: value for key, value in self.current.items() if key in self.may_stay} if given else {}
        return {**stay, **given}

    @property
    def previous(self) -> Mapping[str, str]:
        """Return what was in use and may still be, empty once it is over."""
        return self._of(PREVIOUS)

    @property
    def is_promoted(self) -> bool:
        """Return whether the new value has taken the place of the old one, which may still be in use."""
        return bool(self.previous)

    def _of(self, ending: str) -> dict[str, str]:
        data = self.stored.data
        return {key: data[f"{key}{ending}"] for key in self.keys if data.get(f"{key}{ending}")}

    def _without(self, ending: str) -> dict[str, str]:
        gone = {f"{key}{ending}" for key in self.keys}
        return {key: value for key, value in self.stored.data.items() if key not in gone}


def read(vault: Vault, mount: str, path: str, keys: Sequence[str], may_stay: Sequence[str] = ()) -> Rotation:
    """Return how far it is. Raises MastodonError for a path that holds nothing that could be replaced."""
    found = Rotation(mount, path, tuple(keys), kv.read(vault, mount, path), tuple(may_stay))
    if lacking := [key for key in keys if key not in found.current]:
        why = f"version {found.stored.version} was deleted at {found.stored.gone}" if found.stored.gone else ""
        raise MastodonError(
            str(found), f"{', '.join(lacking)} missing", why, "Run fediverse.mastodon.site first, which says more."
        )
    return found


def begin(vault: Vault, rotation: Rotation, made: Mapping[str, str]) -> Rotation:
    """Write what was made as the next value, unless somebody else was faster, and return what is there then."""
    data = {**rotation.stored.data, **{f"{key}{NEXT}": value for key, value in made.items()}}
    # Whatever somebody else wrote meanwhile, it is not replaced by ours.
    with suppress(kv.LostRaceError):
        kv.write(vault, rotation.mount, rotation.path, data, rotation.stored.version)
    found = _again(vault, rotation)
    if not (found.following or found.is_promoted):
        raise _raced(rotation)
    return found


def refuse_unusable(rotation: Rotation, *, gives: bool) -> None:
    """Raise MastodonError unless there is a next value that can be used; `gives` says that only people can give one."""
    following = rotation.following
    needed = [key for key in rotation.keys if key not in rotation.may_stay]
    lacking = [f"{key}{NEXT}" for key in needed if key not in following]
    if lacking and (gives or following):
        remedy = kv.how_to_give(rotation.mount, rotation.path, lacking, is_there=True)
        raise MastodonError(str(rotation), f"{', '.join(lacking)} missing", "only you can give it", remedy)
    flaws = {key: flaw for key, value in sorted(following.items()) if (flaw := pasted.flaw(value))}
    if flaws:
        why = "; ".join(f"{key}{NEXT}: {flaw}" for key, flaw in flaws.items())
        remedy = kv.how_to_give(rotation.mount, rotation.path, [f"{key}{NEXT}" for key in flaws], is_there=True)
        raise MastodonError(str(rotation), "cannot be used", why, remedy)
    if following and following == rotation.current:
        names = ", ".join(f"{key}{NEXT}" for key in rotation.keys)
        raise MastodonError(str(rotation), f"{names} is what is in use already", "", "Write another value.")


def promote(vault: Vault, rotation: Rotation) -> Rotation:
    """Put the next value, which was proved, in the place of the old one, and keep that beside it. Raises MastodonError."""
    data = {
        **rotation._without(NEXT),
        **rotation.following,
        **{f"{key}{PREVIOUS}": value for key, value in rotation.current.items()},
    }
    return _written(vault, rotation, data)


def finish(vault: Vault, rotation: Rotation) -> Rotation:
    """Let go of the old value, which then is only in an older version of the path. Raises MastodonError."""
    return _written(vault, rotation, rotation._without(PREVIOUS))


def _written(vault: Vault, rotation: Rotation, data: Mapping[str, str]) -> Rotation:
    try:
        kv.write(vault, rotation.mount, rotation.path, data, rotation.stored.version)
    except kv.LostRaceError as error:
        raise _raced(rotation) from error
    return _again(vault, rotation)


def _again(vault: Vault, rotation: Rotation) -> Rotation:
    return read(vault, rotation.mount, rotation.path, rotation.keys, rotation.may_stay)


def _raced(rotation: Rotation) -> MastodonError:
    return MastodonError(str(rotation), "was written by somebody else meanwhile", "", "Run again, which goes on.")
