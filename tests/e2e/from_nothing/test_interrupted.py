# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any moment is finished by the next one, and two at once do not get in each other's way.

Those of an empty cluster are killed in `story`. TEST_KILLS says how many more of a full one.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import pytest

from ...conftest import SEED, Lab
from ..support import eventually
from .conftest import Story
from .test_canary import leaked, secrets_below

KILLS = int(os.environ.get("TEST_KILLS", "1"))
POLICY = "mastodon-social.lab.test"
# What somebody took away, so that a run has something to do: all of it heals within seconds.
LOST = (
    ("networkpolicy", "mastodon-web"),
    ("networkpolicy", "mastodon-streaming"),
    ("cronjob", "mastodon-media-remove"),
    ("httproute", "mastodon"),
    ("externalsecret", "mastodon-smtp"),
    ("externalsecret", "mastodon-redis"),
    ("configmap", "fediverse.mastodon.mastodon"),
    ("secret", "mastodon-app"),
)


def made_once(versions: dict[str, str]) -> dict[str, str]:
    """Return the versions of what Vault was given once; policies may be written again."""
    return {name: version for name, version in versions.items() if not name.startswith("policy ")}


def test_what_killed_runs_made_was_never_made_anew(installed: Lab, story: Story) -> None:
    now = made_once(installed.vault_versions())
    before = made_once(story.secrets)
    assert {name: now[name] for name in before} == before
    assert any("/app" in name for name in now)
    assert story.second.recap["changed"] == 0


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_run_is_finished_by_the_next(installed: Lab, story: Story, kill: int) -> None:
    chance = Random(SEED + kill)
    secrets = made_once(installed.vault_versions())
    lost = chance.sample(LOST, 4)
    for kind, name in lost:
        installed.kubectl("delete", kind, "-n=mastodon", name, "--wait=true")
    if chance.random() < 0.5:
        installed.vault().sys.delete_policy(POLICY)
    installed.killed_site(chance.uniform(0.5, story.second.seconds * 1.2))
    # At the highest verbosity, as it has something to do.
    finished = installed.site("--diff", "-vvvv")
    assert finished.returncode == 0, f"seed {SEED}, kill {kill}: {finished.output[-4000:]}"
    assert leaked(secrets_below(installed, "mastodon/social.lab.test"), finished.output) == []
    assert made_once(installed.vault_versions()) == secrets
    assert POLICY in installed.vault().sys.list_policies()["data"]["policies"]
    for kind, name in lost:
        assert eventually(partial(installed.get, kind, "-n=mastodon", name, "--ignore-not-found"), bool)


def test_two_runs_at_once_both_end_well_and_encrypted_rows_can_still_be_read(installed: Lab) -> None:
    secrets = made_once(installed.vault_versions())
    # Mastodon reads an encrypted row at every start, and refuses to start when its key is another one.
    installed.kubectl("rollout", "restart", "deployment/mastodon-web", "-n=mastodon")
    for kind, name in LOST[:4]:
        installed.kubectl("delete", kind, "-n=mastodon", name, "--wait=true")
    with ThreadPoolExecutor(2) as both:
        runs = [run.result() for run in [both.submit(installed.site) for _ in range(2)]]
    for run in runs:
        assert run.returncode == 0, run.output[-4000:]
    assert made_once(installed.vault_versions()) == secrets
    installed.kubectl("rollout", "status", "deployment/mastodon-web", "-n=mastodon", "--timeout=240s")
    assert installed.site().recap["changed"] == 0
