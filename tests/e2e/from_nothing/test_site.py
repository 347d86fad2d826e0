# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a real cluster: what it promises, watched."""

from __future__ import annotations

import re
import subprocess

from ...conftest import LAB_NAME, ROOT, Lab
from ..zone import DOMAIN
from .conftest import Story

ANSWERS = rf"Mastodon https://{DOMAIN}: answers for {DOMAIN} at 10\.\S+, version 4\S+, by a certificate that browsers do not know"


def test_check_mode_on_an_empty_cluster_reaches_the_end_and_writes_nothing(story: Story) -> None:
    assert story.empty_check.returncode == 0, story.empty_check.output[-4000:]
    assert story.empty_check.recap["failed"] == 0
    assert story.empty_check.recap["changed"] > 0
    assert "created HelmRelease mastodon/mastodon" in story.empty_check.output
    assert story.empty_check_writes == []


def test_the_second_run_changes_and_writes_nothing(story: Story) -> None:
    assert story.second.returncode == 0, story.second.output[-4000:]
    assert story.second.recap["changed"] == 0
    assert story.second_writes == []
    assert "[WARNING]" not in story.second.output


def test_the_secrets_of_the_second_run_are_those_of_the_first(story: Story) -> None:
    assert "mastodon-app" in story.first_data
    assert story.second_data == story.first_data


def test_a_mastodon_that_answers_is_reported_by_a_run(story: Story) -> None:
    assert re.search(ANSWERS, story.second.output)


def test_mastodon_answers_posts_and_keeps_what_it_was_given(installed: Lab) -> None:
    proof = subprocess.run(
        [str(ROOT / "lab/prove"), "--name", LAB_NAME], capture_output=True, text=True, timeout=300, check=False
    )
    assert proof.returncode == 0, proof.stdout + proof.stderr
    for line in ("webfinger", "nodeinfo/2.0", "api/v2/instance", "S3 bucket", "database", "came from secret/"):
        assert line in proof.stdout


def test_check_mode_on_the_full_cluster_finds_nothing(installed: Lab) -> None:
    mark = installed.audit_mark()
    run = installed.site("--check", "--diff")
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
    assert re.search(ANSWERS, run.output)
    assert installed.our_writes(mark) == []
