# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Mastodon is made to leave, against a tootctl whose sentences are upstream's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import leaving
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import Finished
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import leave

PARAMETERS: dict[str, Any] = {
    "namespace": "mastodon",
    "name": "mastodon",
    "local_domain": "example.org",
    "redis_host": "cache",
    "redis_port": 6379,
    "redis_secret": "cache",
    "wait": False,
    "wait_timeout": 30,
}
BEGINS = """Type in the domain of the server to confirm: This operation WILL NOT be reversible.
Are you sure you want to proceed? To switch Mastodon to self-destruct mode, add the following variable to your evironment \
(e.g. by adding a line to your `.env.production`) and restart all Mastodon processes:
  SELF_DESTRUCT=Im15c3RlY2guaW5rIg==--2688f77d7224f21ae4b3937b86a0de976de90c94
You can re-run this command to see the state of the self-destruct process.
"""
BEGUN = "Self-destruct mode is already enabled for this Mastodon server\n"
PENDING = f"{BEGUN}40 accounts are still pending deletion.\n"
SENDING = f"{BEGUN}Deletion notices are still being processed\n"
RETRYING = (
    f"{BEGUN}At least one delivery attempt for each deletion notice has been made, but some have failed and are scheduled"
    " for retry\n"
)
LEFT = f"{BEGUN}Every deletion notice has been sent! You can safely delete all data and decomission your servers!\n"


class World:
    """What tootctl says each time, and what was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *says: str | Finished) -> None:
        self.answers = [Finished(0, one, "") if isinstance(one, str) else one for one in says]
        self.commands: list[Sequence[str]] = []
        self.said: list[str] = []
        self.able: list[str] = []
        monkeypatch.setattr(leave, "connect", lambda *_: None)
        monkeypatch.setattr(leave, "in_web_pod", lambda *_: self.run_command)
        monkeypatch.setattr(leave, "_refuse_unable", lambda *_: self.able.append("asked"))
        monkeypatch.setattr(leave, "_PAUSE", 0.0)

    def run_command(self, command: Sequence[str]) -> Finished:
        self.commands.append(command)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def run(self, *, check: bool = False, **other: Any) -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        return leave.run_task({**PARAMETERS, **other}, run)


def test_what_starts_it_is_what_tootctl_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, BEGINS)
    result = world.run()
    assert result["value"] == "Im15c3RlY2guaW5rIg==--2688f77d7224f21ae4b3937b86a0de976de90c94"
    assert (result["changed"], result["left"], world.able) == (False, False, ["asked"])
    assert world.commands[0][-1] == "example.org"
    assert "example.org" not in world.commands[0][2]


@pytest.mark.parametrize(
    ("says", "sentence", "left"),
    [
        (PENDING, "40 accounts are still to be deleted", False),
        (SENDING, "its servers are still being notified", False),
        (RETRYING, "those that did not answer will be again", False),
        (LEFT, "every server that knew it was notified", True),
    ],
)
def test_how_far_it_is_is_said(monkeypatch: pytest.MonkeyPatch, says: str, sentence: str, left: bool) -> None:
    world = World(monkeypatch, says)
    result = world.run()
    assert sentence in result["progress"]
    assert (result["value"], result["left"]) == ("", left)
    # It may have begun with conditions that no longer hold, and must be seen all the same.
    assert world.able == []


def test_its_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, PENDING, SENDING, RETRYING, LEFT)
    assert world.run(wait=True)["left"]
    assert len(world.commands) == 4
    assert "Mastodon mastodon/mastodon leaves (0 s): 40 accounts are still to be deleted" in world.said[0]
    assert "then run playbook uninstall." in world.said[-1]


def test_in_check_mode_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, PENDING)
    assert not world.run(wait=True, check=True)["left"]
    assert len(world.commands) == 1


def test_what_has_not_left_in_time_fails_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MastodonError, match="has not left yet: each server was notified once"):
        World(monkeypatch, RETRYING).run(wait=True, wait_timeout=0)


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (Finished(1, "", "Domains do not match. Stopping self-destruct initiation."), "Domains do not match"),
        (f"{BEGUN}Nobody knows this sentence.", "does not say how far it is"),
        ("", "does not say how far it is"),
    ],
)
def test_what_cannot_be_understood_passes_for_nothing(
    monkeypatch: pytest.MonkeyPatch, says: str | Finished, sentence: str
) -> None:
    with pytest.raises(MastodonError, match=sentence):
        World(monkeypatch, says).run(wait=True)


@pytest.mark.parametrize(
    ("info", "full"),
    [
        ({"used_memory": 60, "maxmemory": 100, "total_system_memory": 1000}, True),
        ({"used_memory": 50, "maxmemory": 100, "total_system_memory": 1000}, False),
        ({"used_memory": 60, "maxmemory": 0, "total_system_memory": 100}, True),
        ({"used_memory": 60, "maxmemory": 0}, False),
    ],
)
def test_a_redis_that_is_more_than_half_full_is_refused_as_mastodon_would_wait_for_ever(
    info: dict[str, int], full: bool
) -> None:
    if not full:
        assert leaving.refuse_full("Redis cache:6379", info)
        return
    with pytest.raises(MastodonError, match="is too full to leave"):
        leaving.refuse_full("Redis cache:6379", info)


@pytest.mark.parametrize(("queue", "refused"), [("scheduler", False), ("scheduler,1", False), ("default,8", True)])
def test_without_a_worker_on_the_queue_of_deletions_it_is_refused(queue: str, refused: bool) -> None:
    pods = [{"spec": {"containers": [{"command": ["bundle", "exec", "sidekiq", "-q", queue]}, {"image": "other"}]}}]
    if not refused:
        leaving.refuse_without_scheduler("Mastodon mastodon/mastodon", pods)
        return
    with pytest.raises(MastodonError, match="none of Sidekiq's pods works on the queue scheduler"):
        leaving.refuse_without_scheduler("Mastodon mastodon/mastodon", pods)
