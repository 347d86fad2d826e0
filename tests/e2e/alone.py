# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each file of tasks imported by its role alone, as people do who take one role: a play for each, all in one run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ..conftest import ROOT, Lab, Run

# All but those that take back what the others do, and those that back up and restore, which is asked for, and a part of both:
# neighbours/test_uninstall.py, leaving/test_leave.py, data/test_backup.py, data/test_restore_living.py, data/test_rotation.py and
# upgrading/test_upgrade.py have them.
ASKED_FOR = ("acted_on", "backup", "leave", "restore", "rotate", "rotate_clients", "stop", "uninstall", "upgrade")
FILES = sorted(
    (path.parents[1].name, path.stem) for path in ROOT.glob("roles/*/tasks/*.yml") if path.stem not in ASKED_FOR
)
(SITE,) = yaml.safe_load((ROOT / "playbooks/site.yml").read_text())
FAILED = "Say what failed"


def alone(lab: Lab, folder: Path, files: Iterable[tuple[str, str]], *arguments: str) -> Run:
    """Import every file by its role alone; what fails does not keep the others from it."""
    playbook = folder / "alone.yml"
    playbook.write_text(yaml.safe_dump([_play(role, file) for role, file in files]))
    return lab.playbook(str(playbook), *arguments)


def outputs(run: Run) -> dict[tuple[str, str], str]:
    """Return what each play printed, by the file that it imported."""
    _, *plays = re.split(r"^PLAY \[(\w+)/(\w+)\].*$", run.output.partition("\nPLAY RECAP")[0], flags=re.MULTILINE)
    return dict(zip(zip(plays[::3], plays[1::3], strict=True), plays[2::3], strict=True))


def failures(run: Run) -> dict[tuple[str, str], str]:
    """Return the message of each play that failed, by the file that it imported."""
    reported = {
        file: output.partition(f"TASK [{FAILED}]")[2].partition("=> ")[2] for file, output in outputs(run).items()
    }
    return {file: yaml.safe_load(text)["msg"] for file, text in reported.items() if text}


def _play(role: str, file: str) -> dict[str, Any]:
    taken = {"name": f"fediverse.mastodon.{role}", "tasks_from": file}
    return {
        "name": f"{role}/{file}",
        "hosts": SITE["hosts"],
        "gather_facts": False,
        "tasks": [
            {
                "block": [{"ansible.builtin.import_role": taken}],
                "rescue": [{"name": FAILED, "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}],
            }
        ],
    }
