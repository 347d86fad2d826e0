# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from mastodon_lab.build import check, tools
from mastodon_lab.build.tools import Tools


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache whose Go says what it was asked for, and fails if the file `broken` is there."""
    program = tmp_path / "go"
    program.write_text(f'#!/bin/sh\necho "FAIL: $*"\n! [ -e {tmp_path}/broken ]\n')
    program.chmod(0o755)
    monkeypatch.setattr(tools, "install", lambda store, log: Tools(program, program, program))
    return tmp_path


def test_passing_tests_are_told_in_one_line(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(cache) == 0
    assert capsys.readouterr().out == "The Go tests of lab/stand_ins passed.\n"


def test_of_failing_ones_everything_is_shown(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (cache / "broken").touch()
    assert check.main(cache) == 1
    assert "FAIL: test ./..." in capsys.readouterr().out
