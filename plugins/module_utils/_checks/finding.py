# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One precondition as it was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen

# Returns what to report of a precondition that is met; raises what it is otherwise.
Check = Callable[[], str]

T = TypeVar("T")


class SkippedError(Exception):
    """What was not looked at; the text says why."""


class WarnedError(Exception):
    """What Mastodon can stand on, but should not."""


@dataclass(frozen=True)
class Finding:
    """`state` is `ok`, `warning`, `failed` or `skipped`; `text` is what was found, or one sentence with cause and remedy."""

    state: str
    text: str

    def line(self) -> str:
        """Return its row of the table."""
        return f"{self.state:7}  {self.text}"


def find(check: Check) -> Finding:
    """Look once. What does not say that it is met is not met."""
    try:
        return Finding("ok", check())
    except SkippedError as reason:
        return Finding("skipped", str(reason))
    except WarnedError as reason:
        return Finding("warning", str(reason))
    except MastodonError as error:
        return Finding("failed", str(error))
    except Exception as error:
        # Of all that is looked at, the rest is reported all the same.
        name = getattr(getattr(check, "func", check), "__name__", "").strip("_<>")
        return Finding("failed", str(unforeseen(f"Check {name}", error)))


def once(way: Callable[[], T]) -> Callable[[], T]:
    """Return a way that is gone when it is first needed and never again: it returns what it returned, or raises what it raised."""
    found: list[T] = []
    refused: list[MastodonError] = []

    def gone() -> T:
        if refused:
            raise refused[0]
        if not found:
            try:
                found.append(way())
            except MastodonError as error:
                refused.append(error)
                raise
        return found[0]

    return gone
