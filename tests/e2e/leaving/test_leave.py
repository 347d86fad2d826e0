# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon leaves the federation when its domain is typed, tells every server that knows it, and does not come back."""

from __future__ import annotations

import json

import pytest

from ...conftest import Lab
from ..support import connected, served
from ..zone import DOMAIN

NAMESPACE = "mastodon"


def status_of_inbox(lab: Lab) -> int:
    with connected(lab, DOMAIN) as connection:
        connection.request("POST", "/inbox", json.dumps({"type": "Follow"}))
        return connection.getresponse().status


def words(output: str) -> str:
    return " ".join(output.split())


@pytest.mark.parametrize("given", [(), ("-e", "leave=other.example")])
def test_nothing_begins_as_long_as_the_domain_is_not_typed(installed: Lab, given: tuple[str, ...]) -> None:
    run = installed.playbook("leave.yml", *given)
    assert run.returncode != 0
    assert f"Add -e leave={DOMAIN} if this one is to leave." in words(run.output)
    assert served(installed, DOMAIN) == DOMAIN


def test_check_mode_begins_nothing(installed: Lab) -> None:
    run = installed.playbook("leave.yml", "-e", f"leave={DOMAIN}", "--check", "--diff")
    assert run.returncode == 0, run.output[-4000:]
    assert "SELF_DESTRUCT" in run.output
    assert served(installed, DOMAIN) == DOMAIN


def test_it_leaves_and_the_run_ends_with_0(installed: Lab) -> None:
    run = installed.playbook("leave.yml", "-e", f"leave={DOMAIN}")
    assert run.returncode == 0, run.output[-4000:]
    assert "every server that knew it was notified" in words(run.output)
    assert status_of_inbox(installed) == 410


def test_another_run_says_that_it_has_left_and_changes_nothing(installed: Lab) -> None:
    run = installed.playbook("leave.yml", "-e", f"leave={DOMAIN}")
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-4000:]


@pytest.mark.parametrize("uninstalled", [False, True])
def test_site_does_not_install_it_again(installed: Lab, uninstalled: bool) -> None:
    if uninstalled:
        gone = installed.playbook("uninstall.yml", "-e", f"uninstall={DOMAIN}")
        assert gone.returncode == 0, gone.output[-4000:]
    run = installed.site()
    assert run.returncode != 0
    assert "has begun to leave the federation and cannot be installed again" in words(run.output)
