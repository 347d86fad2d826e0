# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs printed, as docs/upgrade.md shows it: all that is said, without Ansible's own lines and without what is only waited for."""

from __future__ import annotations

import os
import re

from ...conftest import ROOT, Run
from ..example_pages import PLACE, stable

PAGE = ROOT / "docs/upgrade.md"
# Ansible shows an error twice, the second time as part of a result.
RESULT = re.compile(r"^fatal: .*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
FRAME = ("PLAY ", "TASK ", "ok: ", "changed: ", "skipping: ", "included: ", "waiting", "lab  ", "...ignoring")
# Of what other servers see, docs/federation has each sentence.
FINE = ("fine  ", "skipped  ")
# Said once in a while, and so by how fast a machine is.
AT_WORK = re.compile(r" runs( since \d+ s)?$")


def said_by(output: str) -> list[str]:
    """Return the lines that the collection printed."""
    lines = RESULT.sub("", PLACE.sub("", stable(output))).splitlines()
    return [line for line in lines if line and not line.startswith((*FRAME, *FINE)) and not AT_WORK.search(line)]


def shown(name: str, run: Run) -> bool:
    """Return whether the page shows after the words `name:` what this run printed, numbers aside. Written there with UPDATE_DOCS set."""
    page, printed = PAGE.read_text(encoding="utf-8"), "\n".join(said_by(run.output))
    before, _unused, after = page.partition(f"\n{name}:\n\n```\n")
    assert after, f"{PAGE.name} has no block after {name!r}"
    there, end, rest = after.partition("\n```\n")
    if os.environ.get("UPDATE_DOCS") and _stays(there) != _stays(printed):
        PAGE.write_text(f"{before}\n{name}:\n\n```\n{printed}{end}{rest}", encoding="utf-8")
        return True
    if _stays(there) != _stays(printed):
        # Which the run itself is too long to show.
        print(*sorted(set(_stays(there)) ^ set(_stays(printed))), sep="\n")
    return _stays(there) == _stays(printed)


def _stays(text: str) -> list[str]:
    """Return its lines without numbers; what needs nothing of each other is configured side by side."""
    return sorted(re.sub(r"[0-9]+", "0", text).splitlines())
