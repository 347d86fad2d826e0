# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/contributing.md is true: every folder has a row, and every row a folder. Who imports whom is held by tests/unit/test_layers.py."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath

from .conftest import ROOT

PAGE = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
UTILS = "plugins/module_utils"


def folders(below: str) -> set[str]:
    """Return the folders directly below one, as they are under version control."""
    depth = len(PurePosixPath(below).parts)
    return {
        str(PurePosixPath(*PurePosixPath(name).parts[: depth + 1]))
        for name in TRACKED
        if name.startswith(f"{below}/" if below != "." else "") and len(PurePosixPath(name).parts) > depth + 1
    }


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, without their headers."""
    (text,) = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(cell: str, within: str = "") -> set[str]:
    """Return the folders in a cell; a name without its folder is in that of the one before it."""
    found: list[str] = []
    for name in re.findall(r"`([\w./]+)`", cell):
        before = str(PurePosixPath(found[-1]).parent) if found and "/" not in name.rstrip("/") else within
        found.append(str(PurePosixPath(before) / name))
    return set(found)


def test_every_folder_has_one_row_and_every_row_is_there() -> None:
    said = [name for row in rows("How the code is laid out") for name in named(row[0])]
    assert len(said) == len(set(said))
    there = folders(".") | folders("plugins") | folders(UTILS)
    assert set(said) == there - {"plugins"}


def test_every_folder_of_tests_has_one_row_and_every_row_is_there() -> None:
    said = [name for row in rows("Tests") for name in named(row[0])]
    assert len(said) == len(set(said))
    labs = {PurePosixPath(name).name for name in folders("tests/e2e")}
    assert set(said) == folders("tests") | {"tests/typecheck"} | labs
    (units,) = [row[1] for row in rows("Tests") if "tests/unit" in row[0]]
    assert named(units) == {PurePosixPath(name).name for name in folders("tests/unit")}


def test_each_lab_is_run_by_what_the_page_says() -> None:
    usual, long = (ROOT / "lab/test").read_text().split('if [ "$long" = yes ]; then\n    say', 1)
    for cells in rows("Tests"):
        if cells[-1] in ("`lab/test`", "`lab/test --long`"):
            for name in named(cells[0]):
                assert (f"tests/e2e/{name} " in usual, f"tests/e2e/{name} " in long) == (
                    cells[-1] == "`lab/test`",
                    cells[-1] != "`lab/test`",
                )


def test_the_task_files_of_roles_are_those_of_the_table() -> None:
    said: dict[str, set[str]] = {}
    for files, _unused, roles in rows("Roles"):
        for role in roles.split(", "):
            there = {
                file for file in re.findall(r"`(\w+\.yml)`", files) if (ROOT / f"roles/{role}/tasks/{file}").is_file()
            }
            assert there, f"{role} has none of {files}"
            said.setdefault(role, set()).update(there)
    for role in sorted(path.name for path in (ROOT / "roles").iterdir()):
        files = {path.name for path in (ROOT / "roles" / role).glob("tasks/*.yml")} - {"main.yml"}
        assert said.get(role, set()) == files, role
