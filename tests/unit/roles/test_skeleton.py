# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role has the same parts in the same order, and site.yml takes each of them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT

File = tuple[str, str]
FILES: list[File] = sorted((path.parents[1].name, path.stem) for path in ROOT.glob("roles/*/tasks/*.yml"))
ROLES = sorted({role for role, _unused in FILES})
PARTS = ("operator", "instance", "proof")


def path(role: str, file: str) -> Path:
    return ROOT / "roles" / role / f"tasks/{file}.yml"


def called(task: Mapping[str, Any], role: str = "") -> Iterator[File]:
    """Return the file of tasks that a task imports or includes."""
    for action, options in task.items():
        if action in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
            yield options["name"].rpartition(".")[2], options.get("tasks_from", "main")
        elif action in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
            yield role, str(options["file"] if isinstance(options, Mapping) else options).removesuffix(".yml")


def calls(role: str, file: str) -> list[File]:
    return [one for task in yaml.safe_load(path(role, file).read_text()) for one in called(task, role)]


def of_playbook(name: str) -> list[File]:
    plays = yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text())
    return [one for play in plays for task in play.get("tasks", []) for one in called(task)]


def through_main(files: Iterable[File]) -> Iterator[File]:
    """Return those that main.yml stands for in its place."""
    for role, file in files:
        yield from calls(role, file) if file == "main" else [(role, file)]


# What tasks or another playbook call where they need it, and no role's main.yml in any case.
WHERE_NEEDED = {one for file in FILES if file[1] != "main" for one in calls(*file)}
WHERE_NEEDED |= {
    one
    for playbook in (
        "backup",
        "database_major",
        "doctor",
        "leave",
        "restore",
        "restore_vault",
        "rotate",
        "uninstall",
        "upgrade",
    )
    for one in of_playbook(playbook)
}
WHERE_NEEDED -= {one for role in ROLES for one in calls(role, "main")}


@pytest.mark.parametrize("role", ROLES)
def test_main_does_nothing_but_import_each_part_once_and_in_order(role: str) -> None:
    tasks = yaml.safe_load(path(role, "main").read_text())
    assert [task for task in tasks if task.keys() != {"name", "ansible.builtin.import_tasks"}] == []
    imported = [file for _unused, file in calls(role, "main")]
    assert len(imported) == len(set(imported))
    assert [part for part in PARTS if part in imported] == [file for file in imported if file in PARTS]
    assert "proof" not in imported[:-1]


@pytest.mark.parametrize("role", ROLES)
def test_main_imports_every_part_but_those_that_say_why_not(role: str) -> None:
    left = {one for one in FILES if one[0] == role and one[1] != "main"} - set(calls(role, "main")) - WHERE_NEEDED
    assert [
        file for file in sorted(left) if "Apart from main.yml, as " not in path(*file).read_text().splitlines()[1]
    ] == []


def test_site_takes_each_file_once_and_those_that_others_call_never() -> None:
    taken = Counter(through_main(of_playbook("site")))
    expected = {one: 0 if one in WHERE_NEEDED else 1 for one in FILES if one[1] != "main"}
    assert {one: taken[one] for one in expected} == expected
    assert taken.keys() <= expected.keys()


@pytest.mark.parametrize("playbook", sorted(file.stem for file in ROOT.glob("playbooks/*.yml")))
def test_a_playbook_checks_the_settings_before_it_does_anything(playbook: str) -> None:
    first = yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text())[0]["tasks"][0]
    own = [first, *(task for one in through_main(called(first)) for task in imported(*one))]
    checks = [task["fediverse.mastodon.doctor"] for task in own if "fediverse.mastodon.doctor" in task]
    assert checks[0]["settings"] is True
    assert checks[0]["cluster"] is False


def imported(role: str, file: str) -> list[Mapping[str, Any]]:
    tasks: list[Mapping[str, Any]] = yaml.safe_load(path(role, file).read_text())
    return tasks
