# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/contributing.md is true: every folder has a row, and every row a folder. Who imports whom is held by tests/unit/test_layers.py."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from pathlib import PurePosixPath

import pytest
import yaml

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
    for name in re.findall(r"`([\w./-]+)`", cell):
        before = str(PurePosixPath(found[-1]).parent) if found and "/" not in name.rstrip("/") else within
        found.append(str(PurePosixPath(before) / name))
    return set(found)


def test_every_folder_has_one_row_and_every_row_is_there() -> None:
    said = [name for row in rows("Folders") for name in named(row[0])]
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


def recipe(heading: str) -> str:
    """Return the text below one of the headings of what is new."""
    (text,) = re.findall(rf"^### {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


@pytest.mark.parametrize("thing", ["role", "module", "readiness rule", "setting", "refusal", "part of the lab"])
def test_what_is_new_goes_where_such_things_are(thing: str) -> None:
    text = recipe(f"A new {thing}")
    files = set(re.findall(r"`([\w.]+/[\w./]+)`", text))
    assert len(files) >= 4
    there = [*TRACKED, *(f"{parent}/" for name in TRACKED for parent in PurePosixPath(name).parents)]
    assert [file for file in sorted(files) if not fnmatch.filter(there, file.replace("NAME", "*"))] == []
    assert "Test" in text


def test_a_new_role_has_the_files_that_every_role_has() -> None:
    """Of a file in all roles that install something, the page must tell."""
    installing = sorted(path.parent.name for path in (ROOT / "roles").glob("*/templates"))
    files = [{name.split("/", 2)[2] for name in TRACKED if name.startswith(f"roles/{role}/")} for role in installing]
    text = recipe("A new role")
    assert [name for name in sorted(set.intersection(*files)) if f"`roles/NAME/{name}`" not in text] == []


def test_each_heading_that_it_links_to_is_there() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    linked = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    linked += re.findall(r"docs/contributing.md#([\w-]+)", (ROOT / "lab/README.md").read_text(encoding="utf-8"))
    assert linked
    assert [name for name in linked if name not in headings] == []


def test_the_tests_that_it_runs_are_there() -> None:
    run = re.findall(r"pytest (\S+?)`? *(?:\||$|-k)", PAGE, re.MULTILINE)
    assert len(run) >= 5
    assert [name for name in run if not (ROOT / name).exists()] == []


def test_its_fragment_is_one_that_the_changelog_takes() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    sections = dict(yaml.safe_load((ROOT / "changelogs/config.yaml").read_text())["sections"])
    fragment = yaml.safe_load(example)
    assert fragment.keys() <= sections.keys()
    assert all(isinstance(line, str) for lines in fragment.values() for line in lines)


def test_every_page_that_a_command_writes_is_there_with_its_command() -> None:
    said = {page: row[1] for row in rows("Changes") for page in named(row[0])}
    for page in sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "contributing.md"):
        written = re.findall(r"[Ww]ritten by `(UPDATE_DOCS=1 pytest [^\s`]+)", page.read_text(encoding="utf-8"))
        name = str(page.relative_to(ROOT))
        assert [said[name].strip("`")] == written[:1] if written else name not in said, name


def test_whoever_looks_for_it_at_the_root_finds_it() -> None:
    assert "](docs/contributing.md)" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "/CONTRIBUTING.md\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_each_lab_is_run_by_what_the_page_says() -> None:
    text = (ROOT / "lab/test").read_text()
    usual, long = text.split('if [ "$long" = yes ]; then\n    say', 1)
    for name, body in re.findall(r"^(\w+)\(\) \{\n(.*?)^\}$", text, re.MULTILINE | re.DOTALL):
        if re.search(rf"\b{name}\b", long):
            usual, long = usual.replace(body, ""), long + body
    for cells in rows("Tests"):
        if cells[-1] in ("`lab/test`", "`lab/test --long`"):
            for name in named(cells[0]):
                assert (f"tests/e2e/{name} " in usual, f"tests/e2e/{name} " in long) == (
                    cells[-1] == "`lab/test`",
                    cells[-1] != "`lab/test`",
                )


def test_every_scenario_of_molecule_has_one_row() -> None:
    said = [cells[0].strip("`") for cells in rows("Scenarios of Molecule")]
    there = (ROOT / "extensions/molecule").glob("*/molecule.yml")
    assert sorted(said) == sorted(path.parent.name for path in there)


def test_the_task_files_of_roles_are_those_of_the_table() -> None:
    said = [file for row in rows("Roles") for file in re.findall(r"`(\w+\.yml)`", row[0])]
    assert len(said) == len(set(said))
    assert set(said) == {path.name for path in (ROOT / "roles").glob("*/tasks/*.yml")} - {"main.yml"}
