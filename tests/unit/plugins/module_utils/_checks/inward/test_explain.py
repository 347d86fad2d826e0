# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: which objects are named, what is to be done, and whether it is proved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import Cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import causes, inbox, records
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import SpentError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding, fine
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline

from .behind import ADDRESS, HOST, MEDIA, OLD, Behind, listener, said
from .findings import (
    DEAD,
    EXPIRED,
    NO_BACKEND,
    NO_ROUTE,
    NOBODY,
    SILENT,
    STREAMING,
    WRONG_NAME,
    cause,
    condition,
    policy,
    refusal,
)


@pytest.mark.parametrize("finding", [NO_ROUTE, NO_BACKEND, NOBODY, SILENT, STREAMING])
def test_where_nothing_is_broken_in_the_cluster_the_likely_cause_stays(behind: Behind, finding: Finding) -> None:
    assert cause(behind, finding) == finding.cause


def test_what_is_fine_or_no_cluster_is_the_cause_of_stays_as_it_is(behind: Behind) -> None:
    late = records.CAA_FAILS.at(HOST).of("records")
    findings = [fine(HOST, "takes connections"), late, inbox.SILENT.at("https://www.example.org/inbox").of("inbox")]
    assert explained(behind.cluster, behind.scene(), findings) == findings


def test_a_subject_that_is_no_address_has_no_cause_in_the_cluster_and_takes_none_from_others(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    odd = [inbox.ELSEWHERE.at(url).of("inbox") for url in ("https://[evil/inbox", f"https://{HOST}:port/inbox")]
    found = explained(behind.cluster, behind.scene(), [*odd, NO_ROUTE])
    assert found[:2] == odd
    assert found[2].cause
    assert found[2].cause.proved


def test_a_cluster_that_cannot_be_read_is_told_and_takes_nothing_away(behind: Behind) -> None:
    def refused() -> Cluster:
        raise MastodonError("Kubernetes", "cannot be reached", "connection refused", "")

    found = explained(refused, behind.scene(), [SILENT])
    assert found[0] == SILENT
    assert [str(one) for one in found[1:]] == [
        "The cluster: was not looked at: Kubernetes: cannot be reached: connection refused."
    ]


def test_what_may_not_be_read_is_told(behind: Behind) -> None:
    cluster = behind.cluster()
    behind.api.unreadable.add("HTTPRoute")
    found = explained(lambda: cluster, behind.scene(), [NO_ROUTE])
    assert found[0] == NO_ROUTE
    assert str(found[1]) == "The cluster: was not looked at: HTTPRoute: is not permitted (403): forbidden."


def test_a_kind_that_may_not_be_read_takes_no_cause_away_that_is_known_without_it(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    cluster = behind.cluster()
    behind.api.unreadable.add("EndpointSlice")
    media = inbox.RETRIED.at(f"https://{MEDIA}/a", "503").because(causes.NOBODY_READY).of("media")
    found = explained(lambda: cluster, behind.scene(), [media, NO_ROUTE, media])
    assert [one.cause for one in (found[0], found[2])] == [media.cause] * 2
    assert found[1].cause
    assert found[1].cause.proved
    assert [str(one) for one in found[3:]] == [
        "The cluster: was not looked at: EndpointSlice mastodon: is not permitted (403): forbidden."
    ]
    assert sum(call.startswith("read EndpointSlice") for call in behind.api.calls) == 1


class Clock:
    """One that reading takes time of."""

    def __init__(self, *, taken: float) -> None:
        self.now, self.taken = 0.0, taken
        self.asked = 0

    def read(self, *_unused: object) -> str:
        """Take it, and be refused."""
        self.asked += 1
        self.now += self.taken
        raise MastodonError("Kubernetes", "cannot be reached", "no whole answer came", "")

    def limit(self) -> Deadline:
        """Return how long one look may take."""
        return Deadline(4, clock=lambda: self.now)


def test_what_one_look_had_too_little_time_for_is_read_by_the_next(behind: Behind) -> None:
    clock = Clock(taken=0.5)
    first = replace(behind.cluster(), read_chain=clock.read, limit=clock.limit())
    clock.now = 3.6
    assert refusal(first) == "cannot be reached: no whole answer came"
    assert refusal(first) == "was not asked: the time that one look may take there is over"
    second = replace(first, limit=clock.limit(), read_chain=lambda *place: behind.secrets["/".join(place)])
    assert second.chain("edge", "tls")


def test_what_was_waited_for_in_vain_is_not_waited_for_by_the_next_look(behind: Behind) -> None:
    clock = Clock(taken=4)
    first = replace(behind.cluster(), read_chain=clock.read, limit=clock.limit())
    refusal(first)
    second = replace(first, limit=clock.limit())
    assert refusal(second) == "cannot be reached: no whole answer came"
    assert clock.asked == 1


def test_services_and_secrets_are_read_once_however_many_findings_there_are(behind: Behind) -> None:
    behind.add(policy("nothing-in"))
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    asked: list[tuple[str, str]] = []

    def chain(*place: str) -> str | None:
        asked.append((place[0], place[1]))
        return behind.secrets.get("/".join(place))

    whole = behind.cluster()
    cluster = replace(whole, read_chain=chain)
    explained(lambda: cluster, behind.scene(), [EXPIRED, SILENT, NOBODY, EXPIRED])
    assert asked == [("edge", "tls")]
    reads = [call for call in behind.api.calls if call.startswith("read Service")]
    assert len(reads) == len(set(reads)) > 1


def test_where_no_time_is_left_to_ask_names_what_was_seen_stays_and_other_causes_are_found(behind: Behind) -> None:
    def spent(*_unused: str) -> Any:
        raise SpentError("the 15 s that one look may take are over")

    behind.leads = (OLD,)
    scene = behind.scene()
    scene.look_up = spent
    scene.probed |= {MEDIA: Probed(MEDIA, (Link(MEDIA, ADDRESS),))}
    behind.change("HTTPRoute mastodon/media", condition(route="media", changed=said("Accepted", "False", "Refused")))
    media = inbox.RETRIED.at(f"https://{MEDIA}/a", "404").because(causes.NO_ROUTE).of("media")
    found = explained(behind.cluster, scene, [DEAD, media])
    assert found[0] == DEAD
    assert found[1].cause
    assert found[1].cause.proved
    assert [str(one) for one in found[2:]] == [
        "The cluster: was not looked at: the 15 s that one look may take are over."
    ]


def test_odd_shapes_break_nothing(behind: Behind) -> None:
    behind.change("Gateway edge/shared", lambda item: item["spec"].update(listeners=[None, listener(HOST), {}]))
    behind.change(
        "HTTPRoute mastodon/web", lambda item: item["spec"].update(rules=[None, {}, {"matches": [{"path": 7}]}])
    )
    behind.change("EndpointSlice mastodon/web-hvg9b", lambda item: item.update(endpoints="many"))
    for finding in (NO_ROUTE, NOBODY, WRONG_NAME, DEAD):
        assert cause(behind, finding)
