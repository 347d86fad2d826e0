# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed of what others sign, and what ends streaming: by the route itself, and by somebody in front of the Gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from email.utils import formatdate

import pytest

from ...conftest import Lab
from ..support import connected
from ..zone import DOMAIN
from .breaking import INBOX, ROUTE, ROUTED, Fault, findings, is_traced, looked, set_field
from .fronts import Answer, Asked, Pass, in_front
from .test_federation_http import header

pytestmark = pytest.mark.usefixtures("settled")
ECHO = f"https://{DOMAIN}/federation-check/echo"
HELD = f"https://{DOMAIN}/federation-check/held"
BY_ROUTES: Mapping[str, Fault] = {
    "a route that takes digests away": Fault(
        header("request", remove=["Digest"]),
        INBOX,
        "CUT",
        "goes by a route that changes what others sign",
        f"{ROUTED} removes request header Digest",
    ),
    "a route that ends streams": Fault(
        lambda stack, lab: set_field(stack, lab, ROUTE, "/spec/rules/0/timeouts/request", "15s"),
        f"https://{DOMAIN}/api/v1/streaming",
        "SOME",
        "goes by a route that ends it after a while",
        f"{ROUTED} ends requests after 15s",
    ),
}


def dates(asked: Asked, ask: Pass) -> Answer:
    """Write the time of now, as a proxy whose developers never saw a signature."""
    return ask(replace(asked, headers={**asked.headers, "date": formatdate(usegmt=True)}))


def queries(asked: Asked, ask: Pass) -> Answer:
    """Write addresses as one likes them."""
    return ask(replace(asked, path=asked.path.replace("%40", "@")))


# Somebody in front: what he does, and how it is reported.
IN_FRONT = {
    "dates": (dates, r"date arrived as \w{3}, .{20} GMT, and was sent as \w{3}, .{20} GMT"),
    "digests": (lambda asked, ask: ask(asked.without("digest")), "digest did not arrive"),
    "queries": (
        queries,
        r"path and query arrived as .*acct%3Aa@example.org.*, and was sent as .*acct%3Aa%40example.org.*",
    ),
}


@pytest.mark.parametrize("name", BY_ROUTES)
def test_what_a_route_does_that_nobody_sees_from_outside_is_named(installed: Lab, name: str) -> None:
    is_traced(installed, BY_ROUTES[name])


@pytest.fixture(scope="module")
def echoing(installed: Lab) -> Iterator[Lab]:
    """The lab with a pod that says what arrives."""
    on = json.dumps({"mastodon_federation_watch": True, "mastodon_federation_echo": True})
    run = installed.site("--tags=mastodon", "--extra-vars", on)
    assert run.returncode == 0, run.output[-3000:]
    again = installed.site("--tags=mastodon", "--extra-vars", on)
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-3000:]
    yield installed
    off = installed.site("--tags=mastodon")
    assert off.returncode == 0, off.output[-3000:]
    assert installed.get("service", "-n=mastodon", "mastodon-federation-echo", "--ignore-not-found") == {}


def test_through_the_real_gateway_all_arrives_as_it_was_sent(echoing: Lab) -> None:
    [one] = [one for one in findings(echoing, echo=True) if one["check"] == "arrival"]
    assert (one["verdict"], one["message"]) == ("fine", "arrives as it was sent"), one
    assert one["subject"].startswith(ECHO)


def test_the_gateway_lets_connections_be_that_nothing_is_said_on(echoing: Lab) -> None:
    [one] = [one for one in findings(echoing, hold=True) if one["subject"] == HELD]
    assert one["verdict"] == "fine", one
    assert re.fullmatch(r"is left open for the 1[0-6] s that nothing was said on it", one["message"])


@pytest.mark.parametrize("name", IN_FRONT)
def test_what_somebody_in_front_changes_is_named(echoing: Lab, name: str) -> None:
    spoil, told = IN_FRONT[name]
    with ExitStack() as stack:
        in_front(spoil)(stack, echoing)
        [one] = [one for one in findings(echoing, echo=True) if one["check"] == "arrival"]
    assert (one["verdict"], one["message"]) == ("CUT", "arrives otherwise than it was sent"), one
    assert re.fullmatch(told, one["fact"]), one
    assert looked(echoing, echo=True) == []


def test_the_metrics_of_the_pod_are_nothing_for_the_world(echoing: Lab) -> None:
    with connected(echoing, DOMAIN) as gateway:
        gateway.request("GET", "/federation-check/metrics")
        answer = gateway.getresponse()
        assert (answer.status, answer.read()) == (404, b"There is /metrics only.\n")
