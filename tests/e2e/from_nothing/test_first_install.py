# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first run with an image that does not exist, and a second one with the right one."""

from __future__ import annotations

from ...conftest import Lab
from ..support import served
from ..zone import DOMAIN
from .conftest import NO_IMAGE, Story

MINUTES = 5


def test_a_wrong_image_on_the_first_day_is_named(story: Story) -> None:
    assert f":{NO_IMAGE}" in story.mistaken.output
    assert "Traceback" not in story.mistaken.output


def test_with_the_right_one_mastodon_answers_within_minutes(installed: Lab, story: Story) -> None:
    assert "its first install hangs at its hooks → installed again" in story.first.output
    assert story.first.seconds < MINUTES * 60
    assert served(installed, DOMAIN) == DOMAIN


def test_one_install_is_all_that_is_left_of_it(installed: Lab) -> None:
    notes = installed.get("secrets", "-n=mastodon", "-l=owner=helm,name=mastodon")["items"]
    assert [note["metadata"]["labels"]["status"] for note in notes][-1] == "deployed"
    assert {note["metadata"]["labels"]["status"] for note in notes} <= {"deployed", "superseded"}
