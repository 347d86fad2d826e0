# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/contributing.md is true: every folder has a row, every row a folder, and nobody imports what it must not know."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from .conftest import ROOT

PAGE = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
UTILS = "plugins/module_utils"
SERVERS = {f"{UTILS}/{name}" for name in ("_kube", "_vault", "_s3", "_dns", "_stores", "_mail", "_net")}
# What opens sockets, or talks over one.
SOCKETS = {
    "dns",
    "hvac",
    "pg8000",
    "redis",
    "requests",
    "requests_aws4auth",
    "smtplib",
    "socket",
    "urllib3",
    "websocket",
}


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


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def importing(roots: set[str], below: str) -> set[str]:
    """Return the files below a folder that import one of these packages."""
    return {
        name
        for name in TRACKED
        if name.startswith(f"{below}/") and name.endswith(".py")
        if {module.partition(".")[0] for module in imports(ROOT / name)} & roots
    }


# Says which errors of which packages are a lost connection, and opens none.
TALKS_TO_NOBODY = {f"{UTILS}/_net/bounded.py"}


def test_sockets_are_opened_where_the_page_says() -> None:
    talking = importing(SOCKETS, "plugins") - TALKS_TO_NOBODY
    outside = {name for name in talking if str(PurePosixPath(name).parent) not in SERVERS}
    assert outside == {f"{UTILS}/_checks/site/way.py"}
    assert {str(PurePosixPath(name).parent) for name in talking - outside} == SERVERS


@pytest.mark.parametrize("folder", ["_reconcile", "_sizing"])
def test_pure_folders_know_nothing_of_ansible(folder: str) -> None:
    allowed = {"ansible.module_utils.parsing.convert_bool", "ansible.module_utils.common.text.converters"}
    for name in importing({"ansible"}, f"{UTILS}/{folder}"):
        assert {module for module in imports(ROOT / name) if module.startswith("ansible.")} <= allowed, name


def test_what_tasks_do_knows_neither_actions_nor_roles() -> None:
    upwards = re.compile(r"ansible_collections\.fediverse\.mastodon\.plugins\.(?!module_utils)")
    for name in importing({"ansible_collections"}, UTILS):
        assert [module for module in imports(ROOT / name) if upwards.match(module)] == [], name


def test_the_lab_knows_nothing_of_the_collections_code() -> None:
    assert importing({"ansible_collections"}, "lab") == set()
