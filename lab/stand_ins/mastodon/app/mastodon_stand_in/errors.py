# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one kind of error that the stand-in's users see."""

from __future__ import annotations


class RefusalError(Exception):
    """Why this process does not start, or does not do what it is asked: one sentence, without secrets."""


class UnavailableError(RefusalError):
    """Something that the process needs cannot be reached; it may be there a moment later."""


class HttpRefusalError(RefusalError):
    """What a request is refused with, when it is not simply wrong (422)."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
