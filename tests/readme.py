# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README and docs/operating.md as somebody follows them: heading by heading, block by block."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs/operating.md").read_text(encoding="utf-8")


def section(heading: str, page: str = TEXT) -> str:
    """Return what stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def blocks(heading: str, page: str = TEXT) -> list[str]:
    """Return the blocks of shell commands below a heading."""
    return re.findall(r"^```\n(.*?)^```$", section(heading, page), re.MULTILINE | re.DOTALL)


def from_galaxy() -> tuple[str, list[str]]:
    """Return the README's lines that install the collection, and the commands that run it."""
    commands = blocks("4. Check") + blocks("5. Run")
    return blocks("1. Install the collection")[0], "".join(commands).splitlines()


def from_checkout() -> tuple[str, list[str]]:
    """Return the same for a checkout."""
    install, commands = blocks("Run from a checkout", OPERATING)
    return install, commands.splitlines()
