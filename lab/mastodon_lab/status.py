# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `lab/status` says of one part of the lab."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PartStatus:
    """One part: whether it works and, if not, why not; whether it is the real thing or a stand-in of ours.

    `pinned` is the version that production gets, where the collection pins it, `here` in words what this lab has instead,
    and `because` why; they are empty where nothing differs.
    """

    name: str
    ready: bool
    version: str = ""
    reason: str = ""
    stand_in: bool = False
    pinned: str = ""
    here: str = ""
    because: str = ""

    @property
    def said(self) -> str:
        """What is to say of it in a line."""
        differs = f"pinned {self.pinned}, here {self.here}, because {self.because}" if self.here else ""
        return "; ".join(filter(None, (self.reason, differs)))

    def as_json(self) -> dict[str, str | bool]:
        """What `lab/status --json` gives."""
        return {
            "name": self.name,
            "ready": self.ready,
            "real": not self.stand_in,
            "version": self.version,
            "reason": self.reason,
            "pinned": self.pinned,
            "here": self.here,
            "because": self.because,
        }
