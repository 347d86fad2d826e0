# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong where other servers deliver: whether posts come late or never."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.inbox import SIZES

from .mastodon import DOMAIN, HOST, Mastodon, Request, Response, document, moved, page
from .world import World, faults, only

LOOKED_AT = ("webfinger", "actor", "inbox")
SHARED = f"https://{HOST}/inbox"
OWN = f"https://{HOST}/ap/users/115/inbox"
HTML = "'<!doctype html><html><title>A page</title></html>'"


def refuse(world: World, response: Response) -> None:
    """Let the shared inbox answer so."""
    world.change("/inbox", response, method="POST")


def sentence(world: World) -> str:
    finding = only(world.look())
    return f"{finding.verdict} {finding}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            page(403),
            f"LOST {SHARED}: refuses what others send in a way that is final: 403 Forbidden, text/html, {HTML}.",
        ),
        (
            page(404),
            f"LOST {SHARED}: refuses what others send in a way that is final: 404 Not Found, text/html, {HTML}.",
        ),
        (Response(405), f"LOST {SHARED}: refuses what others send in a way that is final: 405 Whatever, empty."),
        (
            Response(413),
            f"LOST {SHARED}: refuses what others send in a way that is final: 413 Content Too Large, empty.",
        ),
        (
            Response(421),
            f"LOST {SHARED}: refuses what others send in a way that is final: 421 Misdirected Request, empty.",
        ),
        (Response(501), f"LOST {SHARED}: refuses what others send in a way that is final: 501 Whatever, empty."),
        (Response(400), f"LOST {SHARED}: refuses what others send in a way that is final: 400 Bad Request, empty."),
        (
            page(401, WWW_Authenticate="Basic"),
            f"CUT {SHARED}: does not take what others send: 401 Unauthorized, text/html, {HTML}.",
        ),
        (Response(410), f"LOST {SHARED}: says that it is gone for ever: 410 Gone, empty."),
        (Response(429), f"CUT {SHARED}: does not take what others send: 429 Too Many Requests, empty."),
        (Response(500), f"CUT {SHARED}: does not take what others send: 500 Internal Server Error, empty."),
        (Response(503), f"CUT {SHARED}: does not take what others send: 503 Service Unavailable, empty."),
        (Response(202), f"LOST {SHARED}: takes what is not signed, which Mastodon does not: 202 Accepted, empty."),
        (page(200), f"LOST {SHARED}: takes what is not signed, which Mastodon does not: 200 OK, text/html, {HTML}."),
        (
            moved(f"https://{HOST}/inbox", 308),
            f"CUT {SHARED}: redirects, which no server follows with a post: 308 Permanent Redirect to {SHARED}.",
        ),
        (
            Response(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
            f"CUT {SHARED}: does not answer in HTTP: it is not HTTP: 'SSH-2.0-OpenSSH_9.2'.",
        ),
    ],
    ids=lambda value: str(getattr(value, "status", ""))[:12],
)
def test_each_answer_is_judged_by_what_becomes_of_posts(world: World, answer: Response, said: str) -> None:
    refuse(world, answer)
    assert sentence(world) == said


def test_a_firewall_that_knows_no_activities_is_told_by_the_type_it_takes(world: World) -> None:
    site = world.answer

    def firewall(request: Request) -> Response:
        return page(403) if request.headers["content-type"] == "application/activity+json" else site(request)

    world.change("/inbox", firewall, method="POST")
    assert (
        sentence(world) == f"LOST {SHARED}: refuses activities, and takes other JSON: 403 Forbidden, text/html, {HTML}."
    )


@pytest.mark.parametrize(("limit", "said"), [(1024, "100 KiB"), (128 * 1024, "900 KiB")])
def test_a_gateway_that_refuses_what_is_long_is_told_by_the_size(world: World, limit: int, said: str) -> None:
    site = world.answer
    world.change("/inbox", lambda request: Response(413) if len(request.body) > limit else site(request), method="POST")
    refused = (
        f"LOST {SHARED}: refuses what is long, which Mastodon takes up to 1 MiB: {said}: 413 Content Too Large, empty."
    )
    assert sentence(world) == refused


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response(503), "does not take what others send: 100 KiB: 503 Service Unavailable, empty"),
        (Response(raw=b"\n"), "does not answer in HTTP: 100 KiB: it is not HTTP"),
    ],
)
def test_a_gateway_that_fails_at_what_is_long_only_delays_it(world: World, answer: Response, said: str) -> None:
    site = world.answer
    world.change("/inbox", lambda request: answer if len(request.body) > 1024 else site(request), method="POST")
    assert sentence(world) == f"CUT {SHARED}: {said}."


def test_who_answers_403_in_mastodon_s_name_was_asked_under_another(world: World) -> None:
    refuse(world, Response(403, b"", {"Server": "Mastodon"}))
    finding = only(world.look())
    assert finding.verdict == "LOST"
    assert finding.cause
    assert (
        finding.cause.why == "Mastodon was asked under a name that is not its own, as a proxy rewrites the header Host"
    )


def test_what_is_sent_is_a_small_follow_by_nobody_and_never_signed(world: World) -> None:
    world.look()
    posts = [request for request in world.asked if request.method == "POST"]
    assert [len(request.body) // 1024 for request in posts if request.path == "/inbox"] == [
        0,
        *(size // 1024 for size in SIZES),
    ]
    for request in posts:
        content = json.loads(request.body)
        assert (content["type"], content["actor"]) == ("Follow", "https://federation-check.invalid/actor")
        assert request.headers["content-type"] == "application/activity+json"
    assert [
        header for request in world.asked for header in request.headers if "signature" in header or header == "digest"
    ] == []


@pytest.mark.parametrize(
    "answer", [Response(202), document({}), Response(400, b"missing signature header"), Response(406), Response(415)]
)
def test_other_software_may_say_otherwise_what_is_not_signed(world: World, answer: Response) -> None:
    site = Mastodon()
    info = json.loads(site(Request("GET", HOST, "/nodeinfo/2.0", {}, b"", "", 443, "")).body)
    world.change("/nodeinfo/2.0", document({**info, "software": {"name": "pixelfed", "version": "0.12"}}))
    world.change("/inbox", answer, method="POST")
    world.change("/ap/users/115/inbox", answer, method="POST")
    assert faults(world.look()) == []


def test_other_software_behind_a_firewall_loses_posts_all_the_same(world: World) -> None:
    world.change("/nodeinfo/2.0", document({"software": {"name": "pixelfed", "version": "0.12"}}))
    refuse(world, page(403))
    assert sentence(world).startswith(f"LOST {SHARED}: refuses what others send in a way that is final: 403 Forbidden")
    assert DOMAIN in world.names


def test_a_fuse_that_keeps_newcomers_out_is_told_by_mastodon_s_own_words(world: World) -> None:
    told = {"error": "Fetching attempt skipped because of recent connection failure"}
    world.change("/inbox", document(told, status=503), method="POST")
    finding = only(world.look())
    said = "does not take what others send: 503 Service Unavailable, application/json, "
    assert f"{finding.verdict} {finding}".startswith(f"CUT https://{HOST}/inbox: {said}")
    assert "Fetching attempt skipped" in str(finding)
    assert finding.cause
    assert finding.cause.why.startswith("Mastodon could not fetch a key that it did not know, and for five minutes ")
    assert "mastodon_trusted_proxies" in finding.cause.next


def test_another_503_is_no_fuse(world: World) -> None:
    world.change("/inbox", document({"error": "x"}, status=503), method="POST")
    finding = only(world.look())
    assert finding.cause
    assert finding.cause.why.startswith("no pod behind the gateway is ready")
