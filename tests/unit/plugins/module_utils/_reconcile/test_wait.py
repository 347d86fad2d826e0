# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import wait, watching
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.wait import Waiter
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject, thing
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

AVAILABLE = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
STUCK = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}
FAILED = {**STUCK, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
TIME = "2026-01-01T00:00:00Z"
WEB = subject("Deployment", "web")


class Waiting:
    """A waiter over a fake cluster in which the Deployment `web` is not available."""

    def __init__(self, deadline: Deadline, *others: dict[str, Any], status: dict[str, Any] | None = None) -> None:
        self.api = FakeApi({**thing("Deployment", "web"), "status": status or STUCK}, *others)
        self.lines: list[str] = []
        catalog = self.api.discover()
        self.live = Live(self.api, catalog)
        subjects = [ObjectRef.of(item) for item in self.api.objects.values() if item["kind"] != "Event"]
        resources = {item: catalog.preferred(item.group, item.kind) for item in subjects}
        self.live.read({item: resource for item, resource in resources.items() if resource})
        self.subjects = subjects
        self.tracker = StatusTracker(deadline.clock)
        self.waiter = Waiter(self.api, self.live, self.tracker, deadline, self.lines.append)

    def run(self) -> None:
        self.waiter.wait(self.subjects)


def warning(name: str, message: str, time: str, kind: str = "Pod") -> dict[str, Any]:
    involved = {"kind": kind, "name": name}
    return thing("Event", f"event-{name}-{time}", involvedObject=involved, message=message, lastTimestamp=time)


def test_what_is_ready_costs_no_request() -> None:
    waiting = Waiting(Deadline(0), status=AVAILABLE)
    waiting.api.calls.clear()
    waiting.run()
    assert waiting.api.calls == []


def test_one_watch_follows_all_objects_of_a_kind() -> None:
    waiting = Waiting(Deadline(5), *({**thing("Deployment", name), "status": STUCK} for name in "abc"))
    for item in waiting.subjects:
        waiting.api.set_status(item, AVAILABLE)
    waiting.run()
    assert [call for call in waiting.api.calls if call.startswith("watch")] == ["watch Deployment ns from 4"]


def test_a_watch_that_can_t_go_on_starts_anew_from_a_listing() -> None:
    waiting = Waiting(Deadline(5))
    waiting.api.lost_watches = 1
    waiting.api.set_status(WEB, AVAILABLE)
    waiting.run()
    assert waiting.api.calls.count("read Deployment ns/web") == 2


def test_an_error_event_starts_anew_too(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(Deadline(5))
    watch = waiting.api.watch

    def broken(selection: Selection, resource_version: str, seconds: int) -> Any:
        events = watch(selection, resource_version, seconds)
        events.queue.put({"type": "ERROR", "object": {"code": 410}})
        waiting.api.set_status(WEB, AVAILABLE)
        return events

    monkeypatch.setattr(waiting.api, "watch", broken)
    waiting.run()


def test_news_older_than_our_own_write_are_not_believed() -> None:
    waiting = Waiting(Deadline(0.05))
    waiting.api.set_status(WEB, AVAILABLE)
    changed = waiting.api.put({**waiting.api.objects[WEB], "status": STUCK})
    waiting.live.note(WEB, changed)
    with pytest.raises(MastodonError, match="0 of 1 pods available"):
        waiting.run()


def test_a_failure_ends_the_wait_at_once() -> None:
    waiting = Waiting(Deadline(3600), warning("web", "no room", TIME, "Deployment"), warning("web-1", "no image", TIME))
    waiting.api.set_status(WEB, FAILED)
    with pytest.raises(
        MastodonError, match=r"Deployment ns/web: failed: ProgressDeadlineExceeded; Deployment web: no room\."
    ):
        waiting.run()


def test_the_timeout_names_each_object_its_state_and_its_newest_warning() -> None:
    waiting = Waiting(
        Deadline(0),
        {**thing("Job", "migrate")},
        warning("web-1", "old news", "2026-01-01T00:00:00Z"),
        warning("web-2", "image not found", "2026-01-01T00:05:01Z"),
        warning("web-2", "Error: ImagePullBackOff", "2026-01-01T00:05:02Z"),
        warning("webber", "not ours", "2026-01-01T00:05:03Z"),
    )
    with pytest.raises(MastodonError) as caught:
        waiting.run()
    assert str(caught.value).splitlines() == [
        "Deployment ns/web: not ready after 0 s: 0 of 1 pods available; Pod web-2: image not found. "
        "Check it: kubectl describe -n ns deployment web.",
        "Job ns/migrate: not ready after 0 s: has not completed yet. Check it: kubectl describe -n ns job migrate.",
    ]


def test_progress_is_reported_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_LOOK_AGAIN", 0.001)
    time = count(0, 2)
    waiting = Waiting(Deadline(60, clock=lambda: float(next(time))), warning("web", "no room", TIME, "Deployment"))
    with pytest.raises(MastodonError):
        waiting.run()
    assert 3 <= len(waiting.lines) <= 6
    for line in waiting.lines:
        assert line.startswith("waiting for Deployment ns/web (")
        assert line.endswith(" s): 0 of 1 pods available; Deployment web: no room")


def test_many_that_are_waited_for_are_not_all_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_LOOK_AGAIN", 0.001)
    time = count(0, 5)
    others = ({**thing("Deployment", f"web{number}"), "status": STUCK} for number in range(9))
    waiting = Waiting(Deadline(60, clock=lambda: float(next(time))), *others)
    with pytest.raises(MastodonError):
        waiting.run()
    assert waiting.lines[4] == "waiting for 6 more"


def test_events_that_may_not_be_read_do_not_hide_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(Deadline(0))

    def forbidden(selection: Selection) -> Any:
        raise ApiError(str(selection), "is not permitted", "no", "", status=403)

    monkeypatch.setattr(waiting.api, "read", forbidden)
    with pytest.raises(MastodonError, match="0 of 1 pods available"):
        waiting.run()


def test_a_watch_that_the_server_has_no_time_for_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PAUSE", 0.01)
    waiting = Waiting(Deadline(5))
    waiting.api.set_status(WEB, AVAILABLE)
    watch, refusals = waiting.api.watch, [429, 503, 429]

    def busy(selection: Selection, resource_version: str, seconds: int) -> Any:
        if refusals:
            raise ApiError(str(selection), "busy", "storage is (re)initializing", "", status=refusals.pop())
        return watch(selection, resource_version, seconds)

    monkeypatch.setattr(waiting.api, "watch", busy)
    waiting.run()


class Silent:
    """A watch on which nothing ever comes; `ends` is whether somebody notices."""

    def __init__(self, *events: dict[str, Any], ends: bool) -> None:
        self.events = events
        self.ended = threading.Event()
        if ends:
            self.ended.set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from self.events
        self.ended.wait()

    def stop(self) -> None:
        self.ended.set()


@pytest.mark.parametrize(
    "events",
    [
        (),
        ({"type": "MODIFIED", "object": {}},),
        ({"type": "MODIFIED"},),
        ({"type": "MODIFIED", "object": {"metadata": {"resourceVersion": "x"}}},),
        ([1],),
    ],
)
def test_a_watch_that_reported_nothing_of_use_is_followed_by_a_listing(
    monkeypatch: pytest.MonkeyPatch, events: tuple[Any, ...]
) -> None:
    monkeypatch.setattr(watching, "_PAUSE", 0.01)
    waiting = Waiting(Deadline(5))
    monkeypatch.setattr(waiting.api, "watch", lambda *_unused: Silent(*events, ends=True))
    waiting.api.set_status(WEB, AVAILABLE)
    waiting.run()


def test_before_giving_up_it_is_read_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(Deadline(0.05))
    monkeypatch.setattr(waiting.api, "watch", lambda *_unused: Silent(ends=False))
    waiting.api.set_status(WEB, AVAILABLE)
    waiting.run()


def test_a_server_that_is_away_at_the_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(Deadline(0.05))

    def away(*_unused: Any) -> Any:
        raise MastodonError("API server https://c", "cannot be reached", "Connection refused", "Check that it is up.")

    monkeypatch.setattr(waiting.api, "watch", away)
    monkeypatch.setattr(waiting.api, "read", away)
    with pytest.raises(MastodonError) as caught:
        waiting.run()
    assert str(caught.value) == (
        "Deployment ns/web: not ready after 0 s: 0 of 1 pods available, as last seen; API server https://c cannot be"
        " reached: Connection refused. Check that it is up."
    )


def test_a_server_that_is_away_for_long_is_asked_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_PAUSE", 0.001)
    waiting = Waiting(Deadline(20))
    read, watch = waiting.api.read, waiting.api.watch
    lost = MastodonError("API server https://c", "cannot be reached", "Connection refused")
    refused = ApiError("Deployment ns", "is not permitted", "no rights are known yet", "", status=403)
    fates = iter([*[lost] * 50, *[refused] * 5])

    def away(function: Any) -> Any:
        def asked(*arguments: Any) -> Any:
            if error := next(fates, None):
                raise error
            return function(*arguments)

        return asked

    monkeypatch.setattr(waiting.api, "watch", away(watch))
    monkeypatch.setattr(waiting.api, "read", away(read))
    waiting.api.set_status(WEB, AVAILABLE)
    waiting.run()
    assert next(fates, None) is None


def test_a_watch_that_is_not_permitted_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(Deadline(5))

    def forbidden(selection: Selection, *_unused: Any) -> Any:
        raise ApiError(str(selection), "is not permitted", "no", "", status=403)

    monkeypatch.setattr(waiting.api, "watch", forbidden)
    with pytest.raises(MastodonError, match="is not permitted"):
        waiting.run()


def test_warnings_of_before_about_what_is_gone_or_well_are_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_EXAMINE_AFTER", 0)
    gone, well = warning("web-1", "probe failed", TIME), warning("web-2", "no image", TIME)
    pod = thing("Pod", "web-2", status={"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
    pod["metadata"]["uid"] = well["involvedObject"]["uid"] = "2"
    gone["involvedObject"]["uid"] = "1"
    waiting = Waiting(Deadline(0), gone, well)
    waiting.api.put(pod)
    with pytest.raises(MastodonError) as caught:
        waiting.run()
    assert "0 of 1 pods available. Check it" in str(caught.value)


def test_an_object_that_vanishes_is_not_ready() -> None:
    waiting = Waiting(Deadline(0.05))
    waiting.api.put(waiting.api.objects[WEB], "DELETED")
    with pytest.raises(MastodonError, match="does not exist yet"):
        waiting.run()


def test_a_kind_without_generation_is_not_believed_right_after_a_change() -> None:
    now = [0.0]
    tracker = StatusTracker(lambda: now[0])
    cluster = subject("Cluster", "db")
    healthy = {
        "phase": "Cluster in healthy state",
        "readyInstances": 1,
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    item = {**thing("Cluster", "db"), "status": healthy}
    tracker.changed(cluster)
    assert tracker.status(cluster, item).reason == "Settling"
    now[0] = 3.0
    assert tracker.status(cluster, item).verdict == "Current"
