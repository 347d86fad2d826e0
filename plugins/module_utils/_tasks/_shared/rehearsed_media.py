# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for pictures of restored posts in the bucket for media."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import pictures
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.pictures import Picture
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.bucket import BUCKET_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import Databases
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.scratch import Scratch

MEDIA_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        **BUCKET_OPTIONS,
        "sample": {"type": "int", "default": 20},
        "copy": {"type": "dict", "options": BUCKET_OPTIONS},
    },
}


@dataclass(frozen=True)
class Media:
    """How many pictures are looked for, and where: in the bucket, and in its copy where it has one. Both raise SkippedError while there is none."""

    wanted: Mapping[str, Any]
    bucket: Callable[[], Bucket]
    copy: Callable[[], Bucket]

    def proved(self, databases: Databases, scratch: Scratch) -> str:
        """Return what was found well. Raises MastodonError for pictures that are not there, SkippedError when none can be looked for."""
        bucket = self.bucket()
        sampled = databases.ask(scratch.name, lambda reader: reader.pictures(self.wanted["sample"]))

        def still_there(some: Sequence[Picture]) -> Sequence[Picture]:
            origin = scratch.origin.name
            live = databases.ask(origin, lambda reader: reader.has_pictures(one.number for one in some))
            return [one for one in some if one.number in live]

        looked = pictures.look((Picture(*one) for one in sampled), bucket.get, still_there, self._get_copy)
        if problems := looked.problems():
            remedy = f"Look for who deletes from {bucket}, and restore them from a copy of it."
            errors = [MastodonError(str(scratch.origin), "cannot be restored whole", why, remedy) for why in problems]
            raise errors[0] if len(errors) == 1 else CombinedError(errors)
        return looked.line()

    def _get_copy(self, key: str) -> bytes | None:
        return self.copy().get(key) if self.wanted.get("copy") else None


def line_of(media: Media | None, databases: Databases, scratch: Scratch) -> tuple[str, str]:
    """Return what was found well of pictures, and why nothing was looked for; either is empty."""
    if media is None:
        return "", ""
    try:
        return media.proved(databases, scratch), ""
    except SkippedError as reason:
        return "", str(reason)
