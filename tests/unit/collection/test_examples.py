# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/examples was made from today's playbooks, and shows nothing of the machine that it was made on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.e2e.example_pages import FAULTS, FOLDER, PAGES, repeatable, stable

from .conftest import ROOT

TEXTS = {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
PLAYBOOKS = {"first-run": "site", "second-run": "site", "doctor": "doctor"}
TASK = re.compile(r"^TASK \[(?:[\w.]+ : )?(.*?)\] \*+\n(.*?)(?=^TASK |^PLAY |\Z)", re.MULTILINE | re.DOTALL)
HERE = "ansible.builtin."
AGAIN = "Run UPDATE_DOCS=1 pytest tests/e2e/examples."


def shown(name: str) -> list[tuple[str, str]]:
    """Return the tasks of a page, with what each printed."""
    return TASK.findall(TEXTS[name])


def read(file: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tasks


def declared(tasks: list[dict[str, Any]], folder: Path, included: set[str]) -> Iterator[str]:
    """Yield the names of tasks in the order in which Ansible prints them; `included` are the includes that were not skipped."""
    for task in tasks:
        imported = task.get(f"{HERE}import_role") or task.get(f"{HERE}import_tasks")
        if not imported:
            yield task["name"]
        inner = imported or (task.get(f"{HERE}include_tasks") if task["name"] in included else None)
        if inner:
            file = called(inner, folder)
            yield from declared(read(file), file.parent, included)


def called(inner: str | Mapping[str, str], folder: Path) -> Path:
    """Return the file that an import or include names."""
    if isinstance(inner, str):
        return folder / inner
    if "file" in inner:
        return folder / inner["file"]
    return ROOT / "roles" / inner["name"].rpartition(".")[2] / f"tasks/{inner.get('tasks_from', 'main')}.yml"


@pytest.mark.parametrize("name", PAGES)
def test_its_tasks_are_those_of_today(name: str) -> None:
    page = shown(name)
    included = {task for task, printed in page if printed.startswith("included: ")}
    (play,) = read(ROOT / f"playbooks/{PLAYBOOKS[name]}.yml")
    today = list(declared(play["tasks"], ROOT, included))
    # A task that fails ends the run.
    end = len(page) if "fatal: " in page[-1][1] else len(today)
    assert [task for task, _printed in page] == today[:end], AGAIN
    assert f"PLAY [{play['name']}]" in TEXTS[name], AGAIN


@pytest.mark.parametrize("name", PAGES)
def test_it_begins_as_it_would_be_written_today(name: str) -> None:
    before, _command, after = PAGES[name].show("").partition("$ ")
    assert TEXTS[name].startswith(before), AGAIN
    assert TEXTS[name].endswith(after.rpartition("```")[2]), AGAIN


@pytest.mark.parametrize("name", PAGES)
def test_nothing_in_it_is_of_the_machine_or_of_the_moment(name: str) -> None:
    (printed,) = re.findall(r"^```console\n\$ .*?\n(.*?)^```$", TEXTS[name], re.MULTILINE | re.DOTALL)
    assert stable(printed) == printed
    assert re.findall(r"(?:^|\s)/\S+", printed) == []
    assert {address[:7] for address in re.findall(r"\d+\.\d+\.\d+\.\d+", printed)} <= {"10.200."}


def test_the_doctor_finds_the_five_faults_and_no_other() -> None:
    failed = re.findall(r"^failed +(.*)$", TEXTS["doctor"], re.MULTILINE)
    assert len(failed) == 5
    settings = ["cnpg_cluster_storage_class", "gateway_class", "api-token", "port 25", "s3/s3"]
    assert [setting for setting, row in zip(settings, failed, strict=True) if setting not in row] == []
    assert all(f"{name}: {value}" in TEXTS["doctor"] for name, value in FAULTS.items())


def test_the_first_run_changes_things_and_the_second_changes_nothing() -> None:
    assert "changed: [lab]" in TEXTS["first-run"]
    assert "waiting for " in TEXTS["first-run"]
    recap = re.findall(r"^lab .*changed=(\d+) .*failed=(\d+)", TEXTS["second-run"], re.MULTILINE)
    assert recap == [("0", "0")]


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (
            f"Origin: {ROOT}/.collections/ansible_collections/fediverse/mastodon/roles/x.yml:3:3",
            "Origin: roles/x.yml:3:3",
        ),
        ("ok       Vault http://10.242.0.20:8200: fine", "ok       Vault http://10.200.0.20:8200: fine"),
        ("waiting for A b/c (12 s): Pod a/b-557b7b6747-rbqr7: starts", "waiting for A b/c (10 s): Pod a/b-…: starts"),
        (
            "waiting for A b/c (121 s): Pod db-prepare-xlkqh: starts",
            "waiting for A b/c (120 s): Pod db-prepare-…: starts",
        ),
        ("TASK [a]\nwaiting for A (12 s): x\nwaiting for A (21 s): y", "TASK [a]\nwaiting for A (10 s): x"),
        ("TASK [a]\nwaiting for A (12 s): x\nTASK [b]\nwaiting for A (12 s): x", None),
        ("fatal: [lab]: FAILED! => ", "fatal: [lab]: FAILED! =>"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(printed: str, kept: str | None) -> None:
    assert stable(printed) == (kept or printed.replace("12 s", "10 s")) + "\n"


def test_what_is_created_side_by_side_is_compared_in_any_order() -> None:
    one, other = (
        "\n".join(["created Namespace a", *some, "ok: [lab]"])
        for some in (("created B", "created C"), ("created C", "created B"))
    )
    assert repeatable(one) == repeatable(f"waiting for D (10 s): x\n{other}")
    assert repeatable(one) != repeatable(one.replace("created C", "configured C"))
