# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests/proven.yml says of each capability, and what is on record of the tests that CI does not run.

CI runs `lab/test`: of a test that this runs it is enough that it exists. Of one that only `lab/test --long` runs, tests/passed.json
has when it last passed, and of what text it was then.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from mastodon_lab import versions

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "tests/passed.json"
COLUMNS = {"unit": "unit", "api": "real API server", "lab": "lab", "kind": "kind", "real": "real hardware"}
VERSIONS = {name: str(value).removeprefix("v") for name, value in vars(versions).items()}
# One test: the day on which it last passed, and its digest then.
Record = dict[str, dict[str, str]]


@cache
def long_folders() -> tuple[str, ...]:
    """Return the folders that `lab/test` leaves out without `--long`."""
    (body,) = re.findall(
        r"^more_labs\(\) \{\n(.*?)^\}", (ROOT / "lab/test").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return tuple(f"{folder}/" for folder in re.findall(r"python -m pytest (tests/e2e/\w+)", body))


@dataclass(frozen=True)
class Cell:
    """What one column says of a capability, and by which tests."""

    says: str
    tests: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Cell:
        """Read what the file has in a column."""
        if given is None:
            return cls("not yet")
        if isinstance(given, str):
            return cls(given)
        if isinstance(given, list):
            return cls("yes", tuple(given))
        return cls(given["says"].format(**VERSIONS), tuple(given["tests"]))

    def long(self) -> list[str]:
        """Return the tests that CI does not run."""
        return [one for name in self.tests if name.startswith(long_folders()) for one in functions(name)]

    def text(self, record: Mapping[str, Mapping[str, str]]) -> str:
        """Return what people read."""
        if not (long := self.long()):
            return self.says
        days = [record[one]["on"] for one in long if record.get(one, {}).get("of") == digest(one)]
        if not days:
            by_ci = f"{self.says}, " if any(not name.startswith(long_folders()) for name in self.tests) else ""
            return f"{by_ci}`--long` (no run on record)"
        lacking = len(long) - len(days)
        when = f"{lacking} of {len(long)} tests not since they changed" if lacking else f"passed {min(days)}"
        return f"{self.says}, `--long` ({when})"


def rows() -> dict[str, dict[str, Cell]]:
    """Return the cells of each capability, by column."""
    given = yaml.safe_load((ROOT / "tests/proven.yml").read_text(encoding="utf-8"))
    return {row["what"]: {column: Cell.of(row.get(column)) for column in COLUMNS} for row in given}


def table() -> str:
    """Return the table of docs/proven.md."""
    record = read()
    head = f"| capability | {' | '.join(COLUMNS.values())} |\n|{'---|' * (len(COLUMNS) + 1)}\n"
    lines = ([what, *(cell.text(record) for cell in cells.values())] for what, cells in rows().items())
    return head + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def functions(test: str) -> list[str]:
    """Return the functions that a test's name stands for."""
    file, _unused, function = test.partition("::")
    return [test] if function else [f"{file}::{name}" for name in _texts(file)]


@cache
def _texts(file: str) -> dict[str, str]:
    """Return the text of each test of a file, with its decorators."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = [
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    first = {node.name: min([node.lineno, *(one.lineno for one in node.decorator_list)]) for node in found}
    return {node.name: "\n".join(text.splitlines()[first[node.name] - 1 : node.end_lineno]) for node in found}


def digest(test: str) -> str:
    """Return what changes with the text of a test; what it calls is not looked at."""
    file, _unused, function = test.partition("::")
    return hashlib.sha256(_texts(file)[function].encode()).hexdigest()[:12]


def missing(test: str) -> bool:
    """Whether a test that is named does not exist."""
    file, _unused, function = test.partition("::")
    path = ROOT / file
    if path.is_dir():
        return not [*path.rglob("test_*.py"), *path.glob("run")]
    return not path.is_file() or not _texts(file) or bool(function and function not in _texts(file))


def read() -> Record:
    """Return what is on record."""
    found: Record = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for other sessions that are about to write."""
    with RECORD.open(encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


class Session(Protocol):
    """What is asked of pytest.Session."""

    @property
    def items(self) -> Sequence[pytest.Item]: ...

    @property
    def config(self) -> pytest.Config: ...


class Report(Protocol):
    """What is asked of pytest.TestReport."""

    @property
    def nodeid(self) -> str: ...

    @property
    def when(self) -> str | None: ...

    @property
    def failed(self) -> bool: ...

    @property
    def skipped(self) -> bool: ...


@dataclass
class Recorder:
    """A plugin of pytest that puts what passed on record, and takes off what failed. Of several cases all have to pass."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)

    def pytest_collection_finish(self, session: Session) -> None:
        """Note all cases that are to run, and of which tests these are not all."""
        self.due = {item.nodeid for item in session.items}
        self.left_out |= {one.partition("[")[0] for one in session.config.args if "[" in one}

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Note how a part of a test ended."""
        name = report.nodeid.partition("[")[0]
        if report.failed:
            self.failed.add(name)
        elif report.skipped:
            self.left_out.add(name)
        elif report.when == "call":
            self.passed.add(name)
        if report.when == "teardown":
            self.due.discard(report.nodeid)

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        """Note what was left out: the cases that ran say too little."""
        self.left_out |= {item.nodeid.partition("[")[0] for item in items}

    def pytest_sessionfinish(self) -> None:
        """Write it down. Of what was stopped before all of its cases had run, too little is known."""
        self.left_out |= {one.partition("[")[0] for one in self.due}
        named = {one for cells in rows().values() for cell in cells.values() for one in cell.long()}
        today = datetime.now(UTC).date().isoformat()
        well = {one: {"on": today, "of": digest(one)} for one in (self.passed - self.failed - self.left_out) & named}
        with _alone():
            kept = {one: entry for one, entry in read().items() if one in named - self.failed}
            RECORD.write_text(f"{json.dumps({**kept, **well}, indent=1, sort_keys=True)}\n", encoding="utf-8")
