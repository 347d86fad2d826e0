# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the tests' own ends with them, also when it does not begin."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ... import conftest


@pytest.mark.parametrize("ended", [subprocess.CompletedProcess([], 1, "no", ""), KeyboardInterrupt()], ids=repr)
def test_a_lab_that_does_not_come_up_is_taken_down(monkeypatch: pytest.MonkeyPatch, ended: Any) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: object) -> Any:
        asked.append(Path(command[0]).name)
        if asked[-1] == "up" and isinstance(ended, BaseException):
            raise ended
        return ended

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises((AssertionError, KeyboardInterrupt)), conftest.fresh_lab("none", 29):
        pass
    assert asked == ["down", "up", "down"]
