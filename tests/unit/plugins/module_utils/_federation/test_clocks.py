# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of clocks: the gateway's by what it writes on answers, and the pods' by how they count."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from .mastodon import HOST, Request, Response, reset
from .world import World, faults, only

LOOKED_AT = ("tls", "identity")
ACTOR = f"https://{HOST}/actor"


def sentence(world: World) -> str:
    finding = only(world.look())
    return f"{finding.verdict} {finding}"


def answered_at(world: World, date: str) -> None:
    site = world.answer

    def dated(request: Request) -> Response:
        response = site(request)
        return Response(response.status, response.body, {**response.headers, "Date": date})

    world.change("/actor", dated)


def test_a_clock_that_is_off_is_noted(world: World) -> None:
    answered_at(world, "Sat, 01 Jan 2000 00:00:00 GMT")
    said = sentence(world)
    assert said.startswith(
        f"note {ACTOR}: is answered with another time than it is here: Sat, 01 Jan 2000 00:00:00 GMT, which is "
    )
    assert said.endswith(" s off.")


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Jan 99999 00:00:00 GMT"])
def test_no_clock_at_all_is_fine(world: World, date: str) -> None:
    answered_at(world, date)
    assert faults(world.look()) == []


def test_a_right_clock_is_fine(world: World) -> None:
    answered_at(world, formatdate(usegmt=True))
    report = world.look()
    assert faults(report) == []
    assert f"{ACTOR}: is answered with the right time." in map(str, report.findings)


def counted(world: World, seconds: float, **headers: str) -> None:
    """Let the application count with a clock that is off, behind a gateway that writes dates by its own."""
    site = world.answer

    def limited(request: Request) -> Response:
        response = site(request)
        return Response(
            response.status, response.body, {**response.headers, "X-RateLimit-Reset": reset(seconds), **headers}
        )

    world.change("/api/v2/instance", limited)


@pytest.mark.parametrize("hours", [-3, 3])
def test_pods_whose_clock_is_off_are_told_by_how_they_count_though_the_gateway_says_the_right_time(
    world: World, hours: int
) -> None:
    counted(world, hours * 3600)
    finding = only(world.look())
    start = (
        f"CUT https://{HOST}/api/v2/instance: counts with a clock that is off by more than the hour that others grant: "
    )
    assert f"{finding.verdict} {finding}".startswith(f"{start}its limit of 300 s ends at 20")
    assert "Z, so that it is at least 10" in str(finding)
    assert finding.cause
    assert finding.cause.why == "the clock of the nodes that the pods run on is not set, while the gateway's is"


def test_pods_whose_clock_is_a_little_off_are_noted(world: World) -> None:
    counted(world, 1200)
    assert sentence(world).startswith(
        f"note https://{HOST}/api/v2/instance: counts with another time than it is here: "
    )


def test_a_clock_that_is_off_for_all_may_be_right_and_this_machine_s_wrong(world: World) -> None:
    counted(world, 10800, Date="Sat, 01 Jan 2000 00:00:00 GMT")
    assert sentence(world).startswith(
        f"note https://{HOST}/api/v2/instance: counts with another time than it is here: "
    )


@pytest.mark.parametrize("said", ["", "soon", "1764384000", "2026-13-01T00:00:00Z"])
def test_limits_that_say_no_time_say_nothing_of_clocks(world: World, said: str) -> None:
    counted(world, 0, **{"X-RateLimit-Reset": said})
    assert faults(world.look()) == []


def test_pods_that_count_with_the_right_time_are_fine(world: World) -> None:
    assert f"https://{HOST}/api/v2/instance: counts with the right time." in map(str, world.look().findings)


def test_an_answer_that_a_cache_kept_from_an_hour_ago_is_not_the_application_s_time(world: World) -> None:
    site = world.answer

    def cached(request: Request) -> Response:
        response = site(request)
        is_known = "?" not in request.path
        return Response(
            response.status,
            response.body,
            {**response.headers, "X-RateLimit-Reset": reset(-7200 if is_known else 0), "Date": formatdate(usegmt=True)},
        )

    world.change("/api/v2/instance", cached)
    report = world.look()
    assert faults(report) == []
    assert f"https://{HOST}/api/v2/instance: counts with the right time." in map(str, report.findings)


@pytest.mark.parametrize(
    "headers",
    [{"Age": "4000"}, {"X-Cached": "HIT"}, {"X-Cache": "Hit from cloudfront"}, {"CF-Cache-Status": "STALE"}],
)
def test_where_a_cache_passes_over_what_is_asked_nothing_is_said_of_clocks(
    world: World, headers: dict[str, str]
) -> None:
    counted(world, -7200, **headers)
    report = world.look()
    assert faults(report) == []
    assert any("a cache answers, which does not say what time it is" in str(one) for one in report.findings)


@pytest.mark.parametrize("headers", [{"Age": "0"}, {"X-Cached": "MISS"}, {"CF-Cache-Status": "DYNAMIC"}])
def test_a_cache_that_asked_the_application_hides_nothing(world: World, headers: dict[str, str]) -> None:
    counted(world, -10800, **headers)
    assert only(world.look()).verdict == "CUT"
