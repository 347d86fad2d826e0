# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may sign up: nobody on a new instance (config/settings.yml), until tootctl says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

MODES = ("none", "approved", "open")


def mode(cursor: RealDictCursor) -> str:
    """Return `none`, `approved` (moderators let people in) or `open`."""
    cursor.execute("SELECT value FROM settings WHERE var = 'registrations_mode'")
    row = cursor.fetchone()
    return row["value"] if row else MODES[0]


def set_mode(cursor: RealDictCursor, mode: str) -> None:
    """Set one of MODES."""
    cursor.execute(
        "INSERT INTO settings VALUES ('registrations_mode', %s) ON CONFLICT (var) DO UPDATE SET value = excluded.value",
        (mode,),
    )
