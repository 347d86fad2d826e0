# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's own run of the lab scenario, as a contributor would start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ...conftest import ROOT, Lab


def test_the_default_scenario_passes(installed: Lab) -> None:
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        [str(scripts / "molecule"), "test", "--scenario-name", "default"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "LAB_STATE": str(installed.state),
            "NO_COLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    for step in ("prepare", "converge", "idempotence", "verify"):
        assert f"default > {step}: Executed: Successful" in done.stdout
