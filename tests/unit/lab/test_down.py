# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import shutil

import pytest
from mastodon_lab.build.store import BUILD_LOCK
from mastodon_lab.cluster import cgroups, disk, network, process
from mastodon_lab.cluster.process import Init
from mastodon_lab.down import down
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.progress import Progress

RUNNING = Init(4711, "1")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the machine, in order; nothing of it really is."""
    reported: list[str] = []
    monkeypatch.setattr(process, "find", lambda lab: RUNNING)
    monkeypatch.setattr(process, "stop", lambda init: reported.append(f"stop {init.pid}"))
    monkeypatch.setattr(network, "disconnect", lambda lab: reported.append("disconnect"))
    monkeypatch.setattr(cgroups, "remove", lambda lab: reported.append("cgroups"))
    monkeypatch.setattr(disk, "detach", lambda lab: reported.append("disk"))
    return reported


def take_down(lab: Lab, *, purge_state: bool = False, purge_cache: bool = False) -> str:
    out = io.StringIO()
    down(lab, Progress(lab.cache / "durations.json", out), purge_state=purge_state, purge_cache=purge_cache)
    return out.getvalue()


def test_down_ends_everything_and_keeps_the_state(lab: Lab, done: list[str]) -> None:
    lab.made.touch()
    take_down(lab)
    assert done == ["stop 4711", "cgroups", "disconnect", "disk"]
    assert lab.made.exists()


def test_a_lab_that_does_not_run_still_leaves_no_cgroups_and_no_disk(
    lab: Lab, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "find", lambda lab: None)
    lab.made.touch()
    take_down(lab)
    assert done == ["cgroups", "disk"]


@pytest.mark.parametrize("purge_cache", [False, True])
def test_purge_removes_what_it_is_asked_to(lab: Lab, done: list[str], purge_cache: bool) -> None:
    lab.made.touch()
    take_down(lab, purge_state=True, purge_cache=purge_cache)
    assert not lab.state.exists()
    assert lab.cache.exists() is not purge_cache


def test_a_folder_that_is_no_labs_is_left_alone(lab: Lab, done: list[str]) -> None:
    assert "there is no lab in" in take_down(lab, purge_state=True)
    assert done == []
    assert lab.state.exists()
    (lab.cache / BUILD_LOCK).unlink()
    with pytest.raises(LabError, match="doesn't look like the lab's"):
        take_down(lab, purge_cache=True)
    assert lab.cache.exists()


def test_a_lab_whose_cache_was_purged_before_is_purged_without_complaint(lab: Lab, done: list[str]) -> None:
    lab.made.touch()
    shutil.rmtree(lab.cache)
    take_down(lab, purge_state=True, purge_cache=True)
    assert (lab.state.exists(), lab.cache.exists()) == (False, False)
