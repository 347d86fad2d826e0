# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/examples shows what a run prints today. With UPDATE_DOCS set, its pages are written by these runs."""

from __future__ import annotations

import json
import os

import pytest

from ...conftest import Lab, Run
from ..example_pages import FAULTS, FOLDER, PAGES, repeatable


@pytest.fixture(scope="module")
def runs(lab: Lab) -> dict[str, Run]:
    """The runs of all pages, from an empty lab on."""
    return {
        "doctor": lab.playbook("doctor.yml", "-e", json.dumps(FAULTS)),
        "first-run": lab.site(),
        "second-run": lab.site(),
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_is_printed(name: str, runs: dict[str, Run]) -> None:
    assert (runs[name].returncode == 0) == (name != "doctor"), runs[name].output[-6000:]
    shown = PAGES[name].show(runs[name].output)
    page = FOLDER / f"{name}.md"
    written = page.read_text(encoding="utf-8") if page.exists() else ""
    if os.environ.get("UPDATE_DOCS") and repeatable(written) != repeatable(shown):
        page.write_text(shown, encoding="utf-8")
    assert repeatable(page.read_text(encoding="utf-8")) == repeatable(shown)
