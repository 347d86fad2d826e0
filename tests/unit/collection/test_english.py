# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read is in the words of this field, and what a task does is its first word."""

from __future__ import annotations

import re
import subprocess
from pathlib import PurePosixPath

from .conftest import ROOT

TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
READ = (
    "plugins",
    "roles",
    "playbooks",
    "docs",
    "lab",
    "tests",
    "extensions",
    "inventories",
    "changelogs/fragments",
    "README.md",
)
ODD = re.compile(
    r"\bla(?:y|ys|id|ying)\s(?:it\s|them\s|[^\n]{0,20})?down\b|\bsee\sto\s|\b(?:is|are)\stold\b", re.IGNORECASE
)
VERBS = re.compile(
    "(Add|Apply|Check|Configure|Create|Delete|Ensure|Find|Get|Grant|Install|Publish|Read|Refuse|Remove|Report|Restore|Set|Show"
    "|Start|Stop|Update|Validate|Verify|Wait|Write) "
)
# Of all tasks; a few are better said by another verb.
SHARE = 0.95


def test_no_text_uses_words_of_our_own() -> None:
    found = []
    for name in TRACKED:
        if name.startswith(READ) and (ROOT / name).is_file():
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            found += [f"{name}:{text.count(chr(10), 0, at.start()) + 1}: {at[0]}" for at in ODD.finditer(text)]
    assert found == []


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
