# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from mastodon_lab.cluster import namespaces, node, process
from mastodon_lab.cluster.process import Init
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(("sleep", "600")) as running:
        yield running
        running.kill()


def note(lab: Lab, **changes: object) -> None:
    noted = {**namespaces.identity(), **changes}
    (lab.run / "init.json").write_text(json.dumps(noted))


def test_a_noted_process_is_found(lab: Lab, child: subprocess.Popen[bytes]) -> None:
    started = namespaces.start_time(child.pid)
    note(lab, pid=child.pid, started=started)
    assert process.find(lab) == Init(child.pid, started)


@pytest.mark.parametrize(
    "changes",
    [{"started": "1"}, {"boot": "another"}, {"pid": 1 << 22}, {"pid": "x"}, {"pid": None}],
    ids=["number given to another process", "machine was restarted", "gone", "not a number", "nothing"],
)
def test_any_other_process_is_not_taken_for_it(lab: Lab, changes: dict[str, object]) -> None:
    note(lab, **changes)
    assert process.find(lab) is None


@pytest.mark.parametrize("text", [None, "", "{}", "[", "[]"])
def test_without_a_good_note_nothing_runs(lab: Lab, text: str | None) -> None:
    if text is not None:
        (lab.run / "init.json").write_text(text)
    assert process.find(lab) is None


def test_no_process_of_the_lab_leaves_bytecode_in_the_checkout(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = [
        component for way in node.WAYS.values() for component in way.components(lab, lambda _: Path("/usr/bin/env"))
    ]
    started = [component.argv for component in planned]

    def popen(argv: tuple[str, ...], **_unused: object) -> SimpleNamespace:
        started.append(argv)
        return SimpleNamespace(poll=lambda: 1)

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    with pytest.raises(LabError, match="its first process did not start"):
        process.start(lab)
    flags = [argv[argv.index(sys.executable) + 1] for argv in started if sys.executable in argv]
    assert flags == ["-B"] * 5


def test_stop_ends_the_process(child: subprocess.Popen[bytes]) -> None:
    process.stop(Init(child.pid, namespaces.start_time(child.pid)))
    assert child.wait(5) == -15


def test_stop_kills_what_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "END_SECONDS", 0.2)
    deaf = "trap '' TERM; echo ready; read forever"
    with subprocess.Popen(("sh", "-c", deaf), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        process.stop(Init(running.pid, namespaces.start_time(running.pid)))
        assert running.wait(5) == -9


@pytest.mark.parametrize("act", [process.stop, process.reload])
def test_a_process_that_merely_has_the_number_is_left_alone(act: object, child: subprocess.Popen[bytes]) -> None:
    assert callable(act)
    act(Init(child.pid, "1"))
    assert child.poll() is None


def test_a_process_that_is_gone_needs_no_stopping() -> None:
    with subprocess.Popen(("true",)) as gone:
        gone.wait()
    process.stop(Init(gone.pid, "1"))
