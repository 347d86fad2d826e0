# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule, started as a contributor starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def molecule(
    command: str, scenario: str, state: Path, *options: str, timeout: int = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of Molecule's for a scenario, or all, on the lab whose folder is `state`; what it prints is in its `stdout`."""
    scripts = Path(sys.executable).parent
    return subprocess.run(
        [str(scripts / "molecule"), command, *(("--scenario-name", scenario) if scenario else ()), *options],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "LAB_STATE": str(state),
            "NO_COLOR": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def assert_passed(scenario: str, state: Path, *steps: str, timeout: int, **environment: str) -> None:
    """Run `molecule test` and compare what it says of each step."""
    done = molecule("test", scenario, state, timeout=timeout, **environment)
    assert done.returncode == 0, done.stdout[-8000:]
    for step in steps:
        assert f"{scenario} > {step}: Executed: Successful" in done.stdout
