# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A play of a test's own, run as users run theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_play(folder: Path, play: Mapping[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one play on this machine, with the roles that lie in `folder` and with the checkout's collection."""
    site = {"hosts": "all", "gather_facts": False, "connection": "local", **play}
    (folder / "play.yml").write_text(json.dumps([site]))
    return subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml", *arguments],
        cwd=folder,
        env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
