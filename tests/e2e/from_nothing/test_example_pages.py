# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/examples shows what is printed today, where that is the same on every lab."""

from __future__ import annotations

from ...conftest import Run
from ..example_pages import FOLDER, PAGES, repeatable
from .conftest import Story


def is_the_same(name: str, run: Run) -> None:
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert repeatable(PAGES[name].show(run.output)) == repeatable(page), "run UPDATE_DOCS=1 pytest tests/e2e/examples"


def test_the_second_run_prints_what_its_page_shows(story: Story) -> None:
    is_the_same("second-run", story.second)


def test_the_doctor_finds_what_its_page_shows(story: Story) -> None:
    is_the_same("doctor", story.faulty)
