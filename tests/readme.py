# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README as somebody follows it: heading by heading, block by block."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no heading {heading!r}"
    return found[1]


def blocks(heading: str) -> list[str]:
    """Return the blocks of shell commands below a heading."""
    return re.findall(r"^```\n(.*?)^```$", section(heading), re.MULTILINE | re.DOTALL)


def from_galaxy() -> tuple[str, list[str]]:
    """Return the lines that install the collection from Galaxy, and the commands that run it."""
    return blocks("Install it")[0], blocks("Run it")[0].splitlines()


def from_checkout() -> tuple[str, list[str]]:
    """Return the same for a checkout."""
    return blocks("Install it")[1], blocks("Run it")[1].splitlines()
