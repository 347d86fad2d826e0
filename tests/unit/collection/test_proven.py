# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/proven.md claims no more than tests that exist, and of those that CI does not run no more than is on record of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests import proven
from ansible_collections.fediverse.mastodon.tests.proven import Cell, Recorder

from .conftest import ROOT

PAGE = ROOT / "docs/proven.md"
TABLE = re.compile(r"^\| capability \|.*\n(?:\|.*\n)*", re.MULTILINE)
KILLED = "tests/e2e/neighbours/test_ceph.py::test_a_cluster_that_is_killed_comes_back_with_the_same_disk"
STOPPED = "tests/e2e/neighbours/test_ceph.py::test_a_lab_that_was_stopped_starts_with_the_same_disk_and_nothing_to_do"
# Which tests are where.
FOLDERS = {
    "unit": ("tests/unit/", "tests/versions"),
    "api": ("tests/integration/",),
    "lab": ("tests/e2e/", "tests/wrong_config/"),
    "kind": ("tests/e2e/kind/",),
    "real": (),
}


def test_the_page_says_what_is_on_record() -> None:
    """Written by `UPDATE_DOCS=1 pytest tests/unit/collection/test_proven.py`."""
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(TABLE.sub(proven.table().replace("\\", r"\\"), text), encoding="utf-8")
    assert TABLE.findall(PAGE.read_text(encoding="utf-8")) == [proven.table()]


def test_every_test_that_is_named_exists() -> None:
    named = {test for cells in proven.rows().values() for cell in cells.values() for test in cell.tests}
    assert len(named) > 50
    assert sorted(filter(proven.missing, named)) == []
    assert proven.missing("tests/e2e/ceph/test_claim.py::test_nothing")
    assert proven.missing("tests/e2e/ceph/test_nothing.py")


def test_whatever_is_said_to_be_so_names_tests_of_its_column() -> None:
    for what, cells in proven.rows().items():
        for column, cell in cells.items():
            said = bool(cell.tests) or cell.says in ("\N{EN DASH}", "not yet")
            assert said, f"{what}: no test is named for {cell.says!r}"
            assert all(test.startswith(FOLDERS[column]) for test in cell.tests), f"{what}: {column}"


def test_nothing_is_on_record_that_the_table_does_not_name() -> None:
    named = {test for cells in proven.rows().values() for cell in cells.values() for test in cell.long()}
    assert proven.read().keys() - named == set()


def test_the_folders_that_ci_leaves_out_are_those_of_lab_test() -> None:
    assert {"tests/e2e/ceph/", "tests/e2e/kind/", "tests/e2e/neighbours/"} <= set(proven.long_folders())
    assert "tests/e2e/day_two/" not in proven.long_folders()


@pytest.mark.parametrize(
    ("on_record", "said"),
    [
        ({}, "`--long` (no run on record)"),
        ({KILLED: {"on": "2026-11-29", "of": "another"}}, "`--long` (no run on record)"),
        (
            {KILLED: {"on": "2026-11-29", "of": proven.digest(KILLED)}},
            "yes, `--long` (1 of 2 tests not since they changed)",
        ),
        (
            {
                KILLED: {"on": "2026-11-29", "of": proven.digest(KILLED)},
                STOPPED: {"on": "2026-11-28", "of": proven.digest(STOPPED)},
            },
            "yes, `--long` (passed 2026-11-28)",
        ),
    ],
)
def test_what_only_long_runs_prove_is_said_with_the_day_of_the_last_one(on_record: proven.Record, said: str) -> None:
    assert Cell("yes", (KILLED, STOPPED)).text(on_record) == said
    if on_record == {}:
        assert Cell("yes", ("tests/e2e/day_two/test_drift.py", KILLED)).text({}) == f"yes, {said}"


def test_what_ci_runs_needs_no_record() -> None:
    assert Cell("yes", ("tests/e2e/day_two/test_drift.py",)).text({}) == "yes"


class Report:
    """How a part of a test ended."""

    def __init__(self, nodeid: str, when: str = "call", outcome: str = "passed") -> None:
        self.nodeid, self.when = nodeid, when
        self.failed, self.skipped = outcome == "failed", outcome == "skipped"


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of one test that once passed, and of one that is no longer named."""
    path = tmp_path / "passed.json"
    path.write_text(json.dumps({KILLED: {"on": "2026-01-01", "of": "x"}, "tests/gone.py::test": {"on": "", "of": ""}}))
    monkeypatch.setattr(proven, "RECORD", path)
    return path


class Named:
    """A case of a test, as pytest collects it."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def asked(*arguments: str, of: Sequence[str]) -> Any:
    """A session that was given arguments and collected cases."""
    return SimpleNamespace(items=[Named(one) for one in of], config=SimpleNamespace(args=arguments))


def after(record: Path, *reports: Report, session: Any = None) -> dict[str, dict[str, str]]:
    recorder = Recorder()
    if session:
        recorder.pytest_collection_finish(session)
    for report in reports:
        recorder.pytest_runtest_logreport(report)
    recorder.pytest_sessionfinish()
    found: dict[str, dict[str, str]] = json.loads(record.read_text())
    return found


def test_what_passed_is_put_on_record_with_what_it_was(record: Path) -> None:
    found = after(record, Report(KILLED, "setup"), Report(KILLED), Report(KILLED, "teardown"))
    assert found.keys() == {KILLED}
    assert found[KILLED]["of"] == proven.digest(KILLED)
    assert found[KILLED]["on"] > "2026-01-01"


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_what_failed_is_taken_off_it_with_all_its_cases(record: Path, when: str) -> None:
    assert after(record, Report(f"{KILLED}[a]"), Report(f"{KILLED}[b]", when, "failed")) == {}


@pytest.mark.parametrize(("ran", "passed"), [(2, True), (1, False)])
def test_of_what_was_stopped_before_its_last_case_nothing_is_put_on_record(
    record: Path, ran: int, *, passed: bool
) -> None:
    cases = [f"{KILLED}[a]", f"{KILLED}[b]"]
    reports = [Report(case, when) for case in cases[:ran] for when in ("setup", "call", "teardown")]
    found = after(record, *reports, session=asked("tests/e2e/neighbours", of=cases))
    assert (found[KILLED]["on"] > "2026-01-01") is passed


def test_one_case_that_was_asked_for_by_itself_says_too_little(record: Path) -> None:
    case = f"{KILLED}[a]"
    reports = [Report(case, when) for when in ("setup", "call", "teardown")]
    found = after(record, *reports, session=asked(case, of=[case]))
    assert found == {KILLED: {"on": "2026-01-01", "of": "x"}}


def test_what_was_skipped_or_not_named_changes_nothing(record: Path) -> None:
    found = after(record, Report(KILLED, "call", "skipped"), Report("tests/e2e/ceph/test_other.py::test"))
    assert found == {KILLED: {"on": "2026-01-01", "of": "x"}}
