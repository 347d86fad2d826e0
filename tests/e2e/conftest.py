# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml run on a lab while it is empty, then twice more."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ..conftest import Lab, Run


@dataclass(frozen=True)
class Story:
    """What site.yml said on the empty cluster in check mode, then for real, then again."""

    empty_check: Run
    empty_check_writes: list[str]
    first: Run
    second: Run
    second_writes: list[str]


@pytest.fixture(scope="session")
def story(lab: Lab) -> Story:
    """Run site.yml in check mode on nothing, then lay everything down, then run once more."""
    mark = lab.audit_mark()
    empty_check = lab.site("--check", "--diff")
    empty_writes = lab.our_writes(mark)
    first = lab.site()
    assert first.returncode == 0, first.output[-6000:]
    mark = lab.audit_mark()
    second = lab.site()
    return Story(empty_check, empty_writes, first, second, lab.our_writes(mark))


@pytest.fixture(scope="session")
def laid_down(lab: Lab, story: Story) -> Lab:
    """The lab with everything on it."""
    assert story.first.returncode == 0
    return lab
