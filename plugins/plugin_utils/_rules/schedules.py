# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules as cron writes them."""

from __future__ import annotations

import re
from collections.abc import Callable

# Bounds of the fields of a schedule, from the last to the first; the first of six are seconds.
_FIELDS = ((0, 7), (1, 12), (1, 31), (0, 23), (0, 59), (0, 59))
_NAMED = re.compile(r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b")
_PART = re.compile(r"(\*|\?|\d+(-\d+)?)(/[1-9]\d*)?")


def is_schedule(fields: int) -> Callable[[str], bool]:
    """Return what says whether a text is a schedule of so many fields."""

    def accepts(text: str) -> bool:
        given = _NAMED.sub("1", text).split(" ")
        return len(given) == fields and all(map(_is_field, reversed(given), _FIELDS))

    return accepts


def _is_field(text: str, bounds: tuple[int, int]) -> bool:
    numbers = re.findall(r"(?<!/)\b\d+", text)
    return all(_PART.fullmatch(part) for part in text.split(",")) and all(
        bounds[0] <= int(number) <= bounds[1] for number in numbers
    )
