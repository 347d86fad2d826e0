# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from mastodon_lab.progress import Progress, words


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A Progress with its output, its clock and its file."""

    def __init__(self, folder: Path, recorded: str | None = None) -> None:
        self.file = folder / "cache" / "durations.json"
        if recorded is not None:
            self.file.parent.mkdir()
            self.file.write_text(recorded)
        self.out, self.clock = io.StringIO(), Clock()
        self.progress = Progress(self.file, self.out, self.clock)

    def run(self, title: str, seconds: float) -> None:
        with self.progress.step(title):
            self.clock.now += seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (60, "1 min"), (342, "5 min 42 s"), (3780, "1 h 3 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert words(seconds) == said


def test_a_step_prints_one_line_with_time_so_far_and_time_left(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    shown.progress.expect({"build": 60, "start": 10})
    shown.run("build", 75)
    assert shown.out.getvalue() == "[1 min 15 s, about 10 s left] build: 1 min 15 s\n"


def test_the_last_run_is_the_better_estimate(tmp_path: Path) -> None:
    shown = Shown(tmp_path, json.dumps({"build": 300.0}))
    shown.progress.expect({"build": 60, "start": 10})
    assert shown.progress.left() == 310


def test_a_running_step_uses_up_its_estimate_but_never_more(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    shown.progress.expect({"build": 60, "start": 10})
    with shown.progress.step("build"):
        shown.clock.now += 20
        assert shown.progress.left() == 50
        shown.clock.now += 100
        assert shown.progress.left() == 10


def test_a_step_that_takes_longer_says_so_and_no_time_left_that_nobody_knows(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    shown.progress.expect({"build": 60, "start": 10})
    with shown.progress.step("build"):
        shown.clock.now += 59
        shown.progress.note(shown.progress._stamp())
        shown.clock.now += 61
        shown.progress.note(shown.progress._stamp())
        shown.clock.now += 60
        with shown.progress.step("start"):
            shown.clock.now += 10
            shown.progress.note(shown.progress._stamp())
    assert [line for line in shown.out.getvalue().splitlines() if line.endswith("]")] == [
        "[59 s, about 11 s left]",
        "[2 min, 1 min longer than estimated, then about 10 s]",
        "[3 min 10 s, 2 min 10 s longer than estimated]",
    ]


def test_durations_are_recorded_for_the_next_run(tmp_path: Path) -> None:
    shown = Shown(tmp_path, "{}")
    shown.run("build", 42.04)
    assert json.loads(shown.file.read_text()) == {"build": 42.0}


def test_a_folder_that_is_gone_is_not_made_for_them(tmp_path: Path) -> None:
    shown = Shown(tmp_path)
    shown.run("stop", 2)
    assert not shown.file.parent.exists()


def test_a_step_that_had_nothing_to_do_is_neither_said_nor_recorded(tmp_path: Path) -> None:
    shown = Shown(tmp_path, json.dumps({"build": 300.0}))
    shown.run("build", 0.1)
    assert json.loads(shown.file.read_text()) == {"build": 300.0}
    assert shown.out.getvalue() == ""


def test_a_failed_step_says_so_and_is_not_recorded(tmp_path: Path) -> None:
    shown = Shown(tmp_path)

    def fail() -> None:
        with shown.progress.step("build"):
            shown.clock.now += 3
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert shown.out.getvalue() == "[3 s] build: failed after 3 s\n"
    assert not shown.file.exists()


@pytest.mark.parametrize("recorded", ["", "[]", '{"build": "long"}', '{"build": null}', "\x00"])
def test_a_broken_record_is_ignored(tmp_path: Path, recorded: str) -> None:
    shown = Shown(tmp_path, recorded)
    shown.progress.expect({"build": 60})
    assert shown.progress.left() == 60
