# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which moments a database can be restored to, and whether one that was asked for is among them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

_OPTION = "at"


@dataclass(frozen=True)
class Taken:
    """A base backup that is complete."""

    name: str
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Window:
    """From the end of the first base backup to the newest WAL in the archive, where that is known; `setting` asks for a time in it."""

    subject: str
    since: datetime
    until: datetime | None
    backups: Sequence[Taken] = ()
    setting: str = _OPTION

    def base(self, wanted: datetime | None) -> str:
        """Return the Backup that a restore begins from, the newest before that time; empty where no object of it is left.

        https://github.com/cloudnative-pg/barman-cloud/blob/main/pkg/catalog/catalog.go
        """
        ended = [one for one in self.backups if wanted is None or one.ended <= wanted]
        return max(ended, key=lambda one: one.ended).name if ended else ""

    def __str__(self) -> str:
        """Return both ends, as people read them."""
        end = f"until {written(self.until)}" if self.until else "until now"
        return f"from {written(self.since)} {end}"


def written(moment: datetime) -> str:
    """Return a time as people and CloudNativePG read it, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds" if moment.microsecond else "seconds")[:-6] + "Z"


def read(text: str, setting: str = _OPTION) -> datetime:
    """Return the time that a setting asks for. Raises MastodonError for one that is none, or that has no time zone."""
    remedy = "Write it with its time zone, such as 2026-11-29T03:00:00Z."
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MastodonError(f"Option {setting}", "is not a time", text, remedy) from error
    if moment.tzinfo is None:
        raise MastodonError(f"Option {setting}", "has no time zone", text, remedy)
    return moment.astimezone(UTC)


def refuse_outside(wanted: datetime, window: Window, now: datetime) -> None:
    """Raise MastodonError unless PostgreSQL can be restored to this moment."""
    failed = f"cannot be restored to {written(wanted)}"
    if wanted > now:
        raise MastodonError(window.subject, failed, f"that is in the future, it is {written(now)}", _choose(window))
    if wanted < window.since:
        inside = next((one for one in window.backups if one.began < wanted < one.ended), None)
        why = "its first backup was complete only later"
        if inside:
            took = f"from {written(inside.began)} to {written(inside.ended)}"
            why = f"that is inside its first backup, {inside.name}, which was taken {took} and holds from its end on"
        raise MastodonError(window.subject, failed, why, _choose(window))
    if window.until and wanted > window.until:
        why = "PostgreSQL has archived nothing since, which it does every five minutes when something was written"
        raise MastodonError(window.subject, failed, why, _choose(window))


def _choose(window: Window) -> str:
    return f"Choose a time {window}, or leave {window.setting} out for the newest."
