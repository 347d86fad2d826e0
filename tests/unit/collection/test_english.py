# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task does is its first word."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath

from .conftest import ROOT

TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
VERBS = re.compile(
    "(Add|Apply|Check|Configure|Create|Delete|Ensure|Find|Get|Grant|Install|Publish|Read|Refuse|Remove|Report|Restore|Set|Show"
    "|Start|Stop|Update|Validate|Verify|Wait|Write) "
)
# Of all tasks; a few are better said by another verb.
SHARE = 0.95


def test_tasks_begin_with_a_verb_that_says_what_they_do() -> None:
    files = [name for name in TRACKED if PurePosixPath(name).match("*.yml") and "templates" not in name]
    tasks = [name for name in files if re.match(r"roles/\w+/tasks/|playbooks/|extensions/", name)]
    names = [
        f"{file}: {name}"
        for file in tasks
        for name in re.findall(r"^ *- name: (.+)$", (ROOT / file).read_text(), re.MULTILINE)
    ]
    others = [name for name in names if not VERBS.match(name.partition(": ")[2])]
    assert len(names) > 100
    assert len(others) <= (1 - SHARE) * len(names), others
