# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom in the lab, which knows nothing of the collection."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3] / "lab"
LAB = ROOT / "mastodon_lab"
LAB_BASE = {"errors", "files", "ipv6", "lab", "pins", "progress", "status", "versions"}
# What the commands `up`, `down`, `prove` and the like call; they know all of it, and nothing of it knows them.
LAB_MAY_KNOW = {
    "build": LAB_BASE,
    "cluster": LAB_BASE,
    "parts": LAB_BASE | {"build", "cluster"},
    "proof": LAB_BASE | {"parts"},
    **dict.fromkeys(LAB_BASE, LAB_BASE),
}


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", sorted(LAB_MAY_KNOW))
def test_a_room_of_the_lab_knows_only_those_below_it(room: str) -> None:
    paths = [*(LAB / room).rglob("*.py")] if (LAB / room).is_dir() else [LAB / f"{room}.py"]
    for path in paths:
        known = {name.split(".")[1] for name in imports(path) if name.startswith("mastodon_lab.")}
        assert known <= LAB_MAY_KNOW[room] | {room}, path


def test_the_lab_knows_nothing_of_the_collections_code() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        assert not [name for name in imports(path) if name.startswith("ansible_collections.")], path
