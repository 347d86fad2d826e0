# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pictures of restored posts are in the bucket. Pure.

Keys are as Paperclip makes them: https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb and `id_partition` of
https://github.com/kreeti/kt-paperclip/blob/master/lib/paperclip/interpolations.rb
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_SMALL = 1_000_000_000
# How JPEG, PNG, GIF and WebP begin; AVIF and HEIC are boxes of ISO's media format.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_RIFF, _WEBP = slice(0, 4), slice(8, 12)
_BOX = slice(4, 8)
_SHOWN = 3


@dataclass(frozen=True)
class Picture:
    """A row of media_attachments."""

    number: int
    name: str

    @property
    def key(self) -> str:
        """Return where it is in the bucket."""
        digits = f"{self.number:09d}" if self.number < _SMALL else f"{self.number:012d}"
        # What is left over of an id whose length is no multiple of three is dropped.
        groups = [digits[start : start + 3] for start in range(0, len(digits) - 2, 3)]
        return f"media_attachments/files/{'/'.join(groups)}/original/{self.name}"


def is_picture(content: bytes) -> bool:
    """Return whether this is one, by how it begins."""
    if content[_RIFF] == b"RIFF":
        return content[_WEBP] == b"WEBP"
    return content.startswith(_BEGINNINGS) or content[_BOX] == b"ftyp"


@dataclass(frozen=True)
class Looked:
    """Which pictures were looked at, and which of them are not there, are something else, or are in the bucket's copy alone."""

    all: Sequence[Picture]
    missing: Sequence[Picture]
    odd: Sequence[Picture]
    copied: Sequence[Picture] = ()

    def line(self) -> str:
        """Return what people read when all is well."""
        if not self.all:
            return "no post has a picture"
        there = f"pictures of posts that are in the bucket: {len(self.all) - len(self.copied)} of {len(self.all)}"
        return f"{there}, and in its copy alone: {len(self.copied)} ({_named(self.copied)})" if self.copied else there

    def problems(self) -> list[str]:
        """Return what is wrong."""
        found = ((self.missing, "are not in the bucket"), (self.odd, "are something else there"))
        return [
            f"{len(some)} of {len(self.all)} pictures of its posts {what} ({_named(some)})"
            for some, what in found
            if some
        ]


def _named(some: Sequence[Picture]) -> str:
    return ", ".join(one.key for one in some[:_SHOWN])


def look(
    wanted: Iterable[Picture],
    get: Callable[[str], bytes | None],
    still_there: Callable[[Sequence[Picture]], Sequence[Picture]],
    get_copy: Callable[[str], bytes | None] = lambda _key: None,
) -> Looked:
    """Return how these pictures are. Those that their origin has deleted meanwhile need not be there, as `still_there` says.

    What is missing is looked for in the bucket's copy.
    """
    sampled = tuple(wanted)
    contents = {one: get(one.key) for one in sampled}
    gone = [one for one in sampled if contents[one] is None]
    missing = still_there(gone) if gone else ()
    contents |= {one: get_copy(one.key) for one in missing}
    looked = tuple(one for one in sampled if contents[one] is not None or one in missing)
    odd = tuple(one for one, content in contents.items() if content is not None and not is_picture(content))
    lost = tuple(one for one in missing if contents[one] is None)
    return Looked(looked, lost, odd, tuple(one for one in missing if one not in (*lost, *odd)))
