# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's account on a real cluster."""

from __future__ import annotations

from ...conftest import Lab
from ..zone import DOMAIN
from .conftest import Story


def test_the_owner_is_there_and_approved_and_only_vault_knows_the_password(installed: Lab, story: Story) -> None:
    kept = installed.stored("admin")
    assert kept["username"] == "owner"
    assert len(kept["password"]) >= 16
    assert kept["password"] not in story.second.output
    assert "with the password at Vault path mastodon/social.lab.test/admin" in story.second.output
    tootctl = ("exec", "-n=mastodon", "deploy/mastodon-web", "--", "tootctl")
    assert "OK" in installed.kubectl(*tootctl, "accounts", "modify", "owner")


def test_status_reports_what_is_installed_and_shows_no_secret(installed: Lab) -> None:
    mark = installed.audit_mark()
    run = installed.playbook("status.yml")
    assert run.returncode == 0, run.output[-4000:]
    for reported in (
        "HelmRelease mastodon/mastodon: Current",
        "Certificate ",
        "days left",
        "instances ready",
        "are-primary-key",
        f"Mastodon https://{DOMAIN}: Answers, for {DOMAIN} at 10.",
    ):
        assert reported in run.output
    assert installed.stored("admin")["password"] not in run.output
    assert installed.our_writes(mark) == []
