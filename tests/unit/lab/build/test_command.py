# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mastodon_lab.build.command import run, telling_line
from mastodon_lab.errors import LabError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_goes_to_the_log_with_the_command(tmp_path: Path) -> None:
    log = tmp_path / "log/build.log"
    run("Trying", python("print('said')"), log)
    command, said = log.read_text().splitlines()
    assert command.startswith(f"$ {sys.executable}")
    assert said == "said"


def test_folder_and_environment_are_the_command_s(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['GIVEN'])"
    run("Trying", python(code), tmp_path / "log", cwd=tmp_path, environment={"GIVEN": "here"})
    assert f"{tmp_path} here" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("code", "advice", "said"),
    [
        ("import sys; sys.exit('no such module.')", "Look up.", "Trying: no such module. Look up."),
        ("raise SystemExit(3)", "Look up.", "Trying: it failed without a word. Look up."),
        ("import sys; print('first'); sys.exit('last')", "", "Trying: last. The whole output is in {log}."),
    ],
)
def test_a_failure_is_one_sentence(tmp_path: Path, code: str, advice: str, said: str) -> None:
    log = tmp_path / "log"
    log.write_text("older output\n")
    with pytest.raises(LabError) as failed:
        run("Trying", python(code), log, advice=advice)
    assert str(failed.value) == said.format(log=log)


def test_a_missing_program_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^Trying: no-such-program is not installed\."):
        run("Trying", ["no-such-program"], tmp_path / "log")


@pytest.mark.parametrize(
    ("output", "line"),
    [("a\nb.\n\n", "b"), ("", "it failed without a word"), ("\n \n", "it failed without a word")],
)
def test_the_last_line_tells(output: str, line: str) -> None:
    assert telling_line(output) == line
