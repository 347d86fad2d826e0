# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each of Molecule's scenarios runs on the hosts of its own inventory. That of the lab is run in tests/e2e."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_scenario_in_kind_reads_the_inventory_of_kind_and_no_other(tmp_path: Path) -> None:
    scripts = Path(sys.executable).parent
    done = subprocess.run(
        [str(scripts / "molecule"), "syntax", "--scenario-name", "kind"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "LAB_STATE": str(tmp_path),
            "NO_COLOR": "1",
            "ANSIBLE_VERBOSITY": "3",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"Parsed {ROOT}/inventories/kind/hosts.yml inventory source" in done.stdout
    assert "inventories/lab" not in done.stdout
