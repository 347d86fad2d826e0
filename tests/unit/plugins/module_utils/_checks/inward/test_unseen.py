# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What routes do that nobody sees from outside who does not sign, or stays for a moment only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding, Verdict

from .behind import HOST, Behind
from .findings import INBOX

STREAMING = f"https://{HOST}/api/v1/streaming"


def found(behind: Behind) -> list[Finding]:
    """Return what is said though nothing was seen to be wrong."""
    return list(explained(behind.cluster, behind.scene(), []))


def change(behind: Behind, rule: int, **fields: Any) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][rule].update(fields))


@pytest.mark.parametrize(
    ("filter_", "told"),
    [
        (
            {"requestHeaderModifier": {"set": [{"name": "Date", "value": "now"}], "remove": ["Digest", "X-Other"]}},
            "sets request header Date, removes request header Digest",
        ),
        ({"requestHeaderModifier": {"add": [{"name": "signature", "value": "x"}]}}, "adds request header signature"),
        ({"requestHeaderModifier": {"remove": ["Content-Digest"]}}, "removes request header Content-Digest"),
        ({"urlRewrite": {"hostname": "web.mastodon.svc"}}, "asks for host web.mastodon.svc"),
        ({"urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}}, "asks for another path"),
    ],
)
def test_a_route_that_changes_what_is_signed_is_named(behind: Behind, filter_: dict[str, Any], told: str) -> None:
    change(behind, 1, filters=[filter_])
    [one] = found(behind)
    assert f"{one.verdict} {one}" == (
        f"CUT {INBOX}: goes by a route that changes what others sign: HTTPRoute mastodon/web {told}."
    )
    assert one.link == "arrival.md#changed-by-its-route"
    assert one.cause
    assert (one.cause.why, one.cause.proved) == (f"HTTPRoute mastodon/web {told}", True)
    assert one.cause.next == "kubectl describe httproute -n mastodon web, and remove the filter."


def test_a_filter_of_the_pods_themselves_counts_as_well(behind: Behind) -> None:
    removes = {"requestHeaderModifier": {"remove": ["Signature"]}}
    change(behind, 1, backendRefs=[{"name": "web", "port": 3000, "filters": [removes]}])
    assert [one.fact for one in found(behind)] == ["HTTPRoute mastodon/web removes request header Signature"]


@pytest.mark.parametrize(
    "filter_",
    [
        {"requestHeaderModifier": {"set": [{"name": "X-Forwarded-Proto", "value": "https"}], "remove": ["X-Real-Ip"]}},
        {"responseHeaderModifier": {"set": [{"name": "Date", "value": "x"}]}},
    ],
)
def test_what_nobody_signs_may_be_changed(behind: Behind, filter_: dict[str, Any]) -> None:
    change(behind, 1, filters=[filter_])
    # Streaming is no inbox.
    change(behind, 0, filters=[{"requestHeaderModifier": {"remove": ["Date"]}}])
    assert found(behind) == []


@pytest.mark.parametrize(
    ("timeouts", "told"),
    [
        ({"request": "15s"}, "ends requests after 15s"),
        (
            {"request": "1m40s", "backendRequest": "300s"},
            "ends requests after 1m40s and ends requests to its pods after 300s",
        ),
        ({"backendRequest": "500ms"}, "ends requests to its pods after 500ms"),
    ],
)
def test_a_route_that_ends_streams_is_named(behind: Behind, timeouts: dict[str, str], told: str) -> None:
    change(behind, 0, timeouts=timeouts)
    [one] = found(behind)
    assert f"{one.verdict} {one}" == (
        f"SOME {STREAMING}: goes by a route that ends it after a while: HTTPRoute mastodon/web {told}."
    )
    assert one.link == "streaming.md#ended-by-its-route"
    assert one.cause
    assert not one.cause.proved
    assert one.cause.next == "kubectl describe httproute -n mastodon web, and set its timeouts to 0s."


@pytest.mark.parametrize(
    "timeouts", [{}, {"request": "0s"}, {"request": "1h"}, {"request": "2h", "backendRequest": "0s"}]
)
def test_a_route_that_lets_streams_stay_is_fine(behind: Behind, timeouts: dict[str, str]) -> None:
    change(behind, 0, timeouts=timeouts)
    # What is no stream ends in time.
    change(behind, 1, timeouts={"request": "120s"})
    assert found(behind) == []


def test_streaming_at_a_host_of_its_own_is_looked_at_there(behind: Behind) -> None:
    change(behind, 0, timeouts={"request": "15s"})
    behind.target = replace(behind.target, streaming="streaming.example.org")
    assert found(behind) == []


def test_routes_that_may_not_be_read_are_told(behind: Behind) -> None:
    cluster = behind.cluster()
    behind.api.unreadable.add("HTTPRoute")
    [one] = explained(lambda: cluster, behind.scene(), [])
    assert (one.verdict, str(one)) == (
        Verdict.SKIPPED,
        "The cluster: was not looked at: HTTPRoute: is not permitted (403): forbidden.",
    )
