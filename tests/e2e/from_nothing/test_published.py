# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon brought up by the README's lines, from the installed collection, in an empty home on the oldest Python."""

from __future__ import annotations

from ...conftest import Lab
from ..newcomer import Newcomer
from ..support import served
from ..zone import DOMAIN
from .conftest import Story


def test_what_the_readme_says_brings_up_mastodon(installed: Lab, story: Story) -> None:
    recap = story.first.recap
    assert recap["changed"] > 0
    assert recap["failed"] == recap["unreachable"] == 0
    assert served(installed, DOMAIN) == DOMAIN


def test_it_ran_from_what_was_installed(newcomer: Newcomer, story: Story) -> None:
    assert story.first.returncode == 0
    collection = newcomer.home / ".ansible/collections/ansible_collections/fediverse/mastodon"
    assert not (collection / "lab").exists()
    assert not (newcomer.home / "work/site.yml").exists()
    where = newcomer.run("ansible-galaxy collection list fediverse.mastodon")
    assert f"# {collection.parents[1]}\n" in where.output


def test_its_doctor_finds_mastodon_well(story: Story) -> None:
    assert story.looked.returncode == 0, story.looked.output[-4000:]
    assert story.looked.recap["changed"] == 0
    assert "StorageClass local-path: there" in story.looked.output
