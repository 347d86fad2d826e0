# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task reports of what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run


class Changed(Protocol):
    """A change in one line, and what it changed as documents. What stayed as it was has no line."""

    @property
    def line(self) -> str:
        """Return what people read."""

    @property
    def before(self) -> str:
        """Return what was there."""

    @property
    def after(self) -> str:
        """Return what is there now."""


def changed_lines(changes: Iterable[Changed], run: Run) -> dict[str, Any]:
    """Say every change, and return `changed` and, when it was asked for, `diff`."""
    made = [change for change in changes if change.line]
    for change in made:
        run.say(change.line)
    documents = [difference(change.line, change.before, change.after) for change in made]
    return {"changed": bool(made), **({"diff": documents} if run.diff else {})}


def difference(header: str, before: str, after: str) -> dict[str, str]:
    """Return one entry of `diff`, as Ansible shows it."""
    return {"before_header": header, "after_header": header, "before": before, "after": after}
