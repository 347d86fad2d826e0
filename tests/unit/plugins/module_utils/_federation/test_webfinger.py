# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong where other servers look accounts up, each in the words that are reported."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mastodon_stand_in.settings import Site

from .mastodon import DOMAIN, HOST, Mastodon, Request, Response, document, moved, page
from .world import World, faults

LOOKED_AT = ("webfinger", "host-meta", "nodeinfo")
FINGER = "/.well-known/webfinger"
ALICE = f"https://{DOMAIN}{FINGER}?resource=acct:alice@{DOMAIN}"
ITSELF = f"https://{DOMAIN}{FINGER}?resource=acct:{DOMAIN}@{DOMAIN}"
DIALOG = f"https://{DOMAIN}{FINGER}?resource=https://{DOMAIN}"
ALL = (ALICE, ITSELF, DIALOG)
SELF = {"rel": "self", "type": "application/activity+json", "href": f"https://{HOST}/ap/users/115"}


def finger(**changed: object) -> Response:
    return document({"subject": f"acct:alice@{DOMAIN}", "links": [SELF], **changed}, "application/jrd+json")


def found(world: World, check: str = "webfinger") -> list[str]:
    return [f"{one.verdict} {one}" for one in world.look().findings if one.fault and one.check == check]


def first(world: World) -> tuple[str, str]:
    """Return the worst that is wrong with WebFinger, and its cause."""
    finding = next(one for one in world.look().findings if one.fault and one.check == "webfinger")
    assert finding.cause
    return f"{finding.verdict} {finding}", finding.cause.why


def test_another_web_site_at_the_bare_domain_is_told_by_its_page(world: World) -> None:
    world.change("/", page(404), host=DOMAIN)
    said = "is not there: 404 Not Found, text/html, '<!doctype html><html><title>A page</title></html>'"
    assert first(world) == (f"CUT {ALICE}: {said}.", "another web site answers at the bare domain")


def test_a_page_of_the_instance_itself_is_not_taken_for_another_web_site(world: World) -> None:
    world.change("/.well-known/webfinger", page(404), host=HOST)
    said = "is not there: 404 Not Found, text/html, '<!doctype html><html><title>A page</title></html>'"
    assert first(world) == (f"CUT {ALICE}: {said}, from {HOST}.", "not known from outside")


def test_a_redirect_that_drops_the_query_is_named_by_where_it_leads(world: World) -> None:
    world.change(FINGER, lambda _request: moved(f"https://{HOST}{FINGER}"), host=DOMAIN)
    leads = f"redirects without the query: 301 Moved Permanently to https://{HOST}{FINGER}"
    assert found(world) == [f"CUT {url}: {leads}." for url in ALL]


def test_a_redirect_to_itself_is_what_a_lost_x_forwarded_proto_looks_like(world: World) -> None:
    world.change("/", lambda request: moved(f"https://{request.host}{request.path}"), host=HOST)
    to = f"https://{HOST}{FINGER}?resource=acct:alice@{DOMAIN}"
    why = "the application believes that it is asked without TLS, as X-Forwarded-Proto is lost on the way"
    assert first(world) == (f"CUT {ALICE}: redirects to itself: 301 Moved Permanently to {to}.", why)


def test_a_redirect_of_the_bare_domain_to_itself_is_of_whoever_serves_it(world: World) -> None:
    world.change(FINGER, lambda request: moved(f"https://{request.host}{request.path}"), host=DOMAIN)
    why = f"the redirect of {DOMAIN} leads back to {DOMAIN}, and not to the host of Mastodon's pages"
    assert first(world) == (f"CUT {ALICE}: redirects to itself: 301 Moved Permanently to {ALICE}.", why)


def test_a_circle_of_redirects_is_named(world: World) -> None:
    world.change(FINGER, lambda request: moved(f"https://{DOMAIN}{request.path}"), host=HOST)
    assert found(world)[0] == f"CUT {ALICE}: redirects in a circle: 301 Moved Permanently to {ALICE}."


def test_more_redirects_than_are_followed_are_named(world: World) -> None:
    world.change(FINGER, lambda request: moved(f"https://{HOST}{request.path}&again"), host=HOST)
    again = f"https://{HOST}{FINGER}?resource=acct:alice@{DOMAIN}" + "&again" * 5
    assert found(world)[0] == f"CUT {ALICE}: redirects more often than others follow: 301 Moved Permanently to {again}."


def steps(world: World, number: int, host: str = HOST) -> None:
    """Let so many redirects lead to the answer, of which the first is the bare domain's."""
    site = world.answer

    def led(request: Request) -> Response:
        done = request.path.count("&step")
        return moved(f"https://{host}{request.path}&step") if done < number - 1 else site(request)

    world.change(FINGER, led, host=HOST)


@pytest.mark.parametrize("number", [2, 3])
def test_more_redirects_than_lemmy_follows_are_named(world: World, number: int) -> None:
    steps(world, number)
    told = f"redirects as Lemmy does not follow: {number} redirects"
    assert f"SOME {ALICE}: {told}." in found(world)
    assert [one for one in found(world) if one.startswith("CUT")] == []


def test_more_redirects_than_mastodon_follows_are_named_though_they_lead_to_the_answer(world: World) -> None:
    steps(world, 4)
    told = "redirects more often than others follow: 4 redirects, of which Mastodon follows 3"
    assert found(world)[0] == f"CUT {ALICE}: {told}."


def test_a_redirect_to_a_path_is_not_followed_by_lemmy(world: World) -> None:
    site = world.answer

    def led(request: Request) -> Response:
        passed_on = replace(request, host=HOST, path=request.path.removesuffix("&step"))
        return site(passed_on) if passed_on.path != request.path else moved(f"{request.path}&step")

    world.change(FINGER, led, host=DOMAIN)
    to = f"{FINGER}?resource=acct:alice@{DOMAIN}&step"
    assert f"SOME {ALICE}: redirects as Lemmy does not follow: to {to}." in found(world)


def test_a_redirect_to_a_host_that_is_not_declared_is_not_followed_and_reported(world: World) -> None:
    world.change(FINGER, lambda request: moved(f"https://other.example.net{request.path}"), host=DOMAIN)
    to = f"https://other.example.net{FINGER}?resource=acct:alice@{DOMAIN}"
    assert found(world)[0] == f"CUT {ALICE}: redirects to a host that is not declared: 301 Moved Permanently to {to}."
    assert "other.example.net" not in {request.host for request in world.asked}


def test_a_redirect_without_tls_is_named(world: World) -> None:
    world.change(FINGER, lambda request: moved(f"http://{HOST}{request.path}"), host=DOMAIN)
    to = f"http://{HOST}{FINGER}?resource=acct:alice@{DOMAIN}"
    assert found(world)[0] == f"CUT {ALICE}: redirects to an address without TLS: 301 Moved Permanently to {to}."


def test_a_redirect_without_cors_keeps_follow_buttons_from_it(world: World) -> None:
    site = world.answer

    def changed(request: Request) -> Response:
        return moved(site(request).headers["Location"])

    world.change(FINGER, changed, host=DOMAIN)
    assert found(world) == [
        f"SOME {DIALOG}: may not be read by scripts of other sites: {DIALOG} has no Access-Control-Allow-Origin."
    ]


def test_an_answer_without_cors_keeps_follow_buttons_from_it(world: World) -> None:
    world.change(
        FINGER, lambda _request: document({"subject": f"acct:mastodon.internal@{DOMAIN}", "links": [SELF]}), host=HOST
    )
    there = f"https://{HOST}{FINGER}?resource=https://{DOMAIN}"
    said = f"{DIALOG}: may not be read by scripts of other sites: {there} has no Access-Control-Allow-Origin"
    assert f"SOME {said}." in found(world)


@pytest.mark.parametrize(
    ("kind", "said"), [("application/octet-stream", "application/octet-stream"), ("text/plain", "text/plain")]
)
def test_a_media_type_that_only_mastodon_takes_is_named(world: World, kind: str, said: str) -> None:
    site = world.answer

    def changed(request: Request) -> Response:
        response = site(request)
        return Response(response.status, response.body, {**response.headers, "Content-Type": kind})

    world.change(FINGER, changed, host=HOST)
    told = f"is of a media type that GoToSocial does not take: {said}."
    assert found(world) == [f"SOME {url}: {told}" for url in (ALICE, ITSELF)]


def test_another_subject_is_named(world: World) -> None:
    world.change(f"{FINGER}?resource=acct:alice", finger(subject=f"acct:alice@{HOST}"))
    assert found(world) == [
        f"CUT {ALICE}: names another account than it was asked for: acct:alice@{HOST} and not acct:alice@{DOMAIN}."
    ]


@pytest.mark.parametrize(
    ("links", "fact"),
    [
        ([], "no link of rel self"),
        ([{**SELF, "type": "application/json"}], "type application/json"),
        ([{**SELF, "type": "application/ld+json"}], "type application/ld+json"),
        (
            [{**SELF, "type": "application/activity+json; charset=utf-8"}],
            "type application/activity+json; charset=utf-8",
        ),
        ("none", "no link of rel self"),
    ],
)
def test_a_self_link_that_mastodon_does_not_take_is_named(world: World, links: object, fact: str) -> None:
    world.change(f"{FINGER}?resource=acct:alice", finger(links=links))
    assert found(world) == [f"CUT {ALICE}: has no link to an actor that Mastodon takes: {fact}."]


def test_host_meta_that_leads_where_webfinger_does_not_serves_some(world: World) -> None:
    world.change(FINGER, Response(404), host=DOMAIN)
    said = "is not there, though host-meta leads to it: 404 Not Found, empty"
    assert found(world)[:2] == [f"SOME {url}: {said}." for url in (ALICE, ITSELF)]


@pytest.mark.parametrize("status", [404, 410])
def test_an_account_that_is_not_there_is_no_loss_of_the_server(world: World, status: int) -> None:
    world.checks = ()
    world.change(f"{FINGER}?resource=acct:alice", Response(status))
    report = world.look()
    said = "is of an account that this server does not have, or has deleted"
    start = f"note {ALICE}: {said}: {status} "
    assert [one.startswith(start) for one in faults(report)] == [True]
    assert report.passed


def test_what_is_gone_is_the_worst_answer_of_all(world: World) -> None:
    world.change(FINGER, page(410))
    told = "says that it is gone for ever: 410 Gone, text/html, '<!doctype html><html><title>A page</title></html>'"
    assert found(world)[0] == f"LOST {ALICE}: {told}."
    assert world.look().verdict == "LOST"


@pytest.mark.parametrize("headers", [{}, {"cf_mitigated": "challenge"}])
def test_a_challenge_for_browsers_is_recognised(world: World, headers: dict[str, str]) -> None:
    title = "Hello" if headers else "Just a moment..."
    world.change("/", page(403, f"<html><title>{title}</title></html>", **headers), host=HOST)
    said = f"is refused: 403 Forbidden, text/html, '<html><title>{title}</title></html>'"
    why = "a content delivery network shows a challenge for browsers, which no server can solve"
    assert first(world) == (f"CUT {ALICE}: {said}, from {HOST}.", why)


def test_a_page_that_keeps_bots_off_is_recognised(world: World) -> None:
    world.change("/", page(200, "<html><title>Making sure you are not a bot!</title></html>"), host=HOST)
    said = "is a web page where the WebFinger answer was asked for: 200 OK, text/html"
    text = "'<html><title>Making sure you are not a bot!</title></html>'"
    assert first(world) == (
        f"CUT {ALICE}: {said}, {text}, from {HOST}.",
        "a program that keeps bots off answers in the instance's place",
    )


@pytest.mark.parametrize(
    ("answer", "said", "why"),
    [
        (
            Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"}),
            "is not there: 404 Not Found, text/plain, '404 page not found'",
            "the gateway has no route for this host and path",
        ),
        (
            Response(500),
            "ends in an error of the server: 500 Internal Server Error, empty",
            "the gateway's route leads to a Service that is not there",
        ),
        (
            Response(503, b"no available server\n"),
            "ends in an error of the server: 503 Service Unavailable, 'no available server'",
            "no pod behind the gateway is ready",
        ),
        (
            Response(502, b"Bad Gateway"),
            "ends in an error of the server: 502 Bad Gateway, 'Bad Gateway'",
            "no pod behind the gateway is ready",
        ),
        (Response(403), "is refused: 403 Forbidden, empty", "Mastodon was asked under a name that is not its own"),
        (
            Response(429),
            "is refused for too many requests: 429 Too Many Requests, empty",
            "the application sees one address, its proxy's",
        ),
    ],
    ids=["no route", "no backend", "nobody ready", "bad gateway", "another host", "too many"],
)
def test_who_answers_in_the_place_of_mastodon_is_told_by_its_words(
    world: World, answer: Response, said: str, why: str
) -> None:
    named = Response(
        answer.status, answer.body, {"Server": "Mastodon" if answer.status == 403 else "x", **answer.headers}
    )
    world.change("/", named, host=HOST)
    reported, reason = first(world)
    assert reported == f"CUT {ALICE}: {said}, from {HOST}."
    assert reason.startswith(why)


def test_what_is_packed_unasked_cannot_be_read(world: World) -> None:
    world.change(FINGER, document({}, "application/jrd+json", Content_Encoding="br"), host=HOST)
    assert found(world)[0] == f"CUT {ALICE}: is packed as nobody asked for: Content-Encoding: br."


def test_a_domain_that_is_not_split_is_asked_without_a_redirect(world: World) -> None:
    world.answer = Mastodon(Site(HOST, HOST, streaming_base_url=f"wss://{HOST}"))
    assert faults(world.look(domain=HOST)) == []
    assert {request.host for request in world.asked} == {HOST}
