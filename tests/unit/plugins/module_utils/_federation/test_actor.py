# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong where other servers fetch actors, each in the words that are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mastodon_stand_in import discovery
from mastodon_stand_in.settings import Site

from .mastodon import ALICE, DOMAIN, HOST, ITSELF, Mastodon, Request, Response, document, moved, page
from .world import World, assert_passes, faults, only, verdicts

LOOKED_AT = ("webfinger", "actor", "inbox")
ACTOR = f"https://{HOST}/ap/users/115"
INSTANCE = f"https://{HOST}/actor"
CONTEXT = "https://www.w3.org/ns/activitystreams"
SECURE = Mastodon(Site(DOMAIN, HOST, streaming_base_url=f"wss://{HOST}", authorized_fetch=True))


def alice(**changed: Any) -> dict[str, Any]:
    return {**discovery.actor(Mastodon().site, ALICE), **changed}


def shows(world: World, content: Any, kind: str = "application/activity+json", path: str = "/ap/users/115") -> None:
    """Let an actor be another for those who ask for one."""
    site = world.answer

    def changed(request: Request) -> Response:
        return document(content, kind) if "json" in request.headers["accept"] else site(request)

    world.change(path, changed)


@pytest.mark.parametrize(
    "wrong", ["http://social.example.org/ap/users/115", "https://www.social.example.org/ap/users/115"]
)
def test_an_actor_of_another_address_is_named(world: World, wrong: str) -> None:
    shows(world, alice(id=wrong))
    finding = only(world.look())
    assert (
        f"{finding.verdict} {finding}" == f"CUT {ACTOR}: calls itself by another address than it is found at: {wrong}."
    )


@pytest.mark.parametrize(
    "kind", ["application/json", "application/ld+json", "application/json; charset=utf-8", "text/plain"]
)
def test_a_media_type_that_is_no_activity_is_named(world: World, kind: str) -> None:
    shows(world, alice(), kind)
    finding = only(world.look())
    assert (
        f"{finding.verdict} {finding}" == f"CUT {ACTOR}: is of a media type that Mastodon takes for no actor: {kind}."
    )


@pytest.mark.parametrize(
    "kind", ['application/activity+json; charset="utf-8"', "application/activity+json;charset=utf-8"]
)
def test_a_media_type_with_a_charset_written_otherwise_cuts_lemmy_off(world: World, kind: str) -> None:
    shows(world, alice(), kind)
    finding = only(world.look())
    assert f"{finding.verdict} {finding}" == f"SOME {ACTOR}: is of a media type that Lemmy does not take: {kind}."


@pytest.mark.parametrize(
    "kind",
    [
        'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
        "application/activity+json; charset=UTF-8",
        "Application/Activity+JSON",
    ],
)
def test_a_media_type_that_all_take_is_as_good(world: World, kind: str) -> None:
    shows(world, alice(), kind)
    assert faults(world.look()) == []


def test_a_media_type_with_more_than_one_profile_is_as_good_for_mastodon(world: World) -> None:
    kind = 'application/ld+json; profile="https://w3id.org/security https://www.w3.org/ns/activitystreams"'
    shows(world, alice(), kind)
    finding = only(world.look())
    assert f"{finding.verdict} {finding}".startswith(f"SOME {ACTOR}: is of a media type that Lemmy does not take: ")


def test_what_json_ld_lets_stand_in_a_list_may(world: World) -> None:
    content = alice()
    shows(world, {**content, "type": ["Person", "Thing"], "publicKey": [content["publicKey"]]})
    assert faults(world.look()) == []


@pytest.mark.parametrize("context", ["https://www.w3.org/ns/activitystreams/v2", [{"as": f"{CONTEXT}#"}], None])
def test_a_context_that_only_looks_like_the_one_is_none(world: World, context: Any) -> None:
    shows(world, {**alice(), "@context": context})
    assert str(only(world.look())) == f"{ACTOR}: lacks what every actor has: @context."


def test_what_an_actor_lacks_is_named(world: World) -> None:
    shows(world, {"id": ACTOR, "type": "Note"})
    finding = only(world.look())
    lacks = "inbox, preferredUsername, type, @context, publicKey"
    assert f"{finding.verdict} {finding}" == f"CUT {ACTOR}: lacks what every actor has: {lacks}."


def test_a_cache_that_gives_one_the_answer_to_another_is_found(world: World) -> None:
    kept: list[Response] = []
    site = world.answer

    def cached(request: Request) -> Response:
        # It begins to keep answers after the first of them.
        if "text/html" in request.headers["accept"] or kept:
            kept[:] = kept or [site(request)]
            return kept[0]
        return site(request)

    world.change("/ap/users/115", cached)
    finding = only(world.look())
    came = "301 Moved Permanently, 301 Moved Permanently, 301 Moved Permanently came"
    said = "is sometimes a page and sometimes an actor, whatever is asked for"
    assert f"{finding.verdict} {finding}" == (
        f"CUT {ACTOR}: {said}: text/html, activity+json and text/html were asked for, and {came}."
    )


def test_a_cache_that_has_kept_the_actor_for_all_is_found_before_it_keeps_a_page(world: World) -> None:
    kept: dict[str, Response] = {}
    site = world.answer
    world.change("/ap/users/115", lambda request: kept.setdefault(request.path, site(request)))
    assert only(world.look()).fact.endswith("and an actor, an actor, an actor came")


def test_a_cache_that_keeps_the_actor_for_browsers_is_found(world: World) -> None:
    site, kept = world.answer, [False]

    def cached(request: Request) -> Response:
        kept[0] = kept[0] or "text/html" in request.headers["accept"]
        is_json = "json" in request.headers["accept"]
        world.change("/ap/users/115", document(alice(), "application/activity+json")) if kept[0] and is_json else None
        return site(request)

    world.change("/ap/users/115", cached)
    assert only(world.look()).fact.endswith("and 301 Moved Permanently, an actor, an actor came")


def test_secure_mode_passes_where_it_is_declared(world: World) -> None:
    world.answer = SECURE
    report = world.look(secure=True)
    assert_passes(report)
    assert f"{ACTOR}: is shown to those only who sign, as declared." in map(str, report.findings)


def test_limited_federation_passes_where_it_is_declared(world: World) -> None:
    world.answer = SECURE
    assert_passes(world.look(limited=True))


def test_secure_mode_that_is_not_declared_is_named(world: World) -> None:
    world.answer = SECURE
    finding = only(world.look())
    said = "is shown to those only who sign, and secure mode is not declared"
    assert f"{finding.verdict} {finding}" == f"SOME {ACTOR}: {said}: 401 Unauthorized, application/json, {error()}."


def test_secure_mode_that_is_declared_and_off_is_named(world: World) -> None:
    finding = only(world.look(secure=True))
    assert (
        f"{finding.verdict} {finding}" == f"SOME {ACTOR}: is shown to everybody, and secure mode is declared: 200 OK."
    )


def test_a_refusal_out_of_a_cache_is_named(world: World) -> None:
    world.answer = SECURE
    refusal = SECURE(Request("GET", HOST, "/ap/users/115", {"accept": "application/json"}, b"", "", 443, HOST))
    world.change("/ap/users/115", replace(refusal, headers={**refusal.headers, "Age": "31"}))
    finding = only(world.look(secure=True))
    assert f"{finding.verdict} {finding}" == (
        f"CUT {ACTOR}: is refused out of a cache, also to those who sign: 401 Unauthorized, application/json, {error()}, Age: 31."
    )


@pytest.mark.parametrize(("vary", "said"), [("Accept, Cookie", "Accept, Cookie"), ("", "none")])
def test_a_refusal_that_caches_may_keep_for_those_who_sign_is_noted(world: World, vary: str, said: str) -> None:
    world.answer = SECURE
    refusal = SECURE(Request("GET", HOST, "/ap/users/115", {"accept": "application/json"}, b"", "", 443, HOST))
    world.change("/ap/users/115", replace(refusal, headers={**refusal.headers, "Vary": vary}))
    finding = only(world.look(secure=True))
    told = "is refused to those who do not sign in a way that caches may keep for those who do"
    assert f"{finding.verdict} {finding}" == f"note {ACTOR}: {told}: Vary: {said}."


def test_an_instance_actor_that_wants_signatures_is_named(world: World) -> None:
    world.change("/actor", document({"error": "Request not signed"}, status=401))
    finding = only(world.look())
    said = "is not shown without a signature, though in secure mode, too, it must be"
    assert f"{finding.verdict} {finding}" == f"CUT {INSTANCE}: {said}: 401 Unauthorized, application/json, {error()}."


CONFIRMING = f"https://{HOST}/.well-known/webfinger?resource=acct:alice@{HOST}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page(404), "is not there"),
        (document({"subject": f"acct:alice@{DOMAIN}"}), "has no link to an actor that Mastodon takes"),
        (
            document(
                {"links": [{"rel": "self", "type": "application/activity+json", "href": f"https://{HOST}/@alice"}]}
            ),
            f"leads to https://{HOST}/@alice",
        ),
    ],
)
def test_an_actor_that_its_own_host_does_not_know_is_named(world: World, answer: Response, said: str) -> None:
    world.change(f"/.well-known/webfinger?resource=acct:alice@{HOST}", answer, host=HOST)
    finding = only(world.look())
    told = f"CUT {ACTOR}: is not confirmed by WebFinger at its own host: {CONFIRMING} {said}."
    assert f"{finding.verdict} {finding}" == told
    # https://codeberg.org/fediverse/fep/src/branch/main/fep/2c59/fep-2c59.md
    shows(world, alice(webfinger=f"alice@{DOMAIN}"))
    assert faults(world.look()) == []


def test_an_actor_that_is_hidden_is_asked_for_at_its_own_host_all_the_same(world: World) -> None:
    world.answer = SECURE
    world.change(f"/.well-known/webfinger?resource=acct:alice@{HOST}", page(404), host=HOST)
    assert only(world.look(secure=True)).fault == "not-confirmed"


def test_an_actor_at_the_domain_of_accounts_is_asked_for_there_alone(world: World) -> None:
    assert CONFIRMING.removeprefix(f"https://{HOST}") in [one.path for one in asked_by(world)]
    world.target = replace(world.target, domain=HOST)
    world.answer = Mastodon(Site(HOST, HOST, streaming_base_url=f"wss://{HOST}"))
    assert [one.path for one in asked_by(world)].count(f"/.well-known/webfinger?resource=acct:alice@{HOST}") == 1


def asked_by(world: World) -> list[Request]:
    """Return what a look asks."""
    world.asked.clear()
    world.look()
    return list(world.asked)


def test_an_actor_behind_a_redirect_to_another_host_is_not_followed(world: World) -> None:
    world.change("/ap/users/115", moved("https://other.example.net/ap/users/115"))
    finding = only(world.look())
    to = "301 Moved Permanently to https://other.example.net/ap/users/115"
    assert f"{finding.verdict} {finding}" == f"CUT {ACTOR}: redirects to a host that is not declared: {to}."


def test_an_actor_that_is_gone_is_the_worst_answer(world: World) -> None:
    world.change("/ap/users/115", Response(410))
    finding = only(world.look())
    assert f"{finding.verdict} {finding}" == f"LOST {ACTOR}: says that it is gone for ever: 410 Gone, empty."


def test_without_an_account_the_server_s_own_actor_is_looked_at(world: World) -> None:
    report = world.look(account="")
    assert faults(report) == []
    assert {"fine", "skipped"} == {str(verdict) for verdict in verdicts(report)}
    assert f"{INSTANCE}: is the server's own actor." in map(str, report.findings)
    assert ITSELF.id < 0


@pytest.mark.parametrize("age", ["0", "no number"])
def test_an_answer_that_was_in_no_cache_is_not_kept_by_one(world: World, age: str) -> None:
    refusal = document({"error": "Request not signed"}, status=401, Vary="Accept, Signature", Age=age)
    world.change("/ap/users/115", refusal)
    assert faults(world.look(secure=True)) == []


def test_an_actor_that_is_a_page_is_named(world: World) -> None:
    world.change("/ap/users/115", page(200))
    reported = faults(world.look())
    text = "200 OK, text/html, '<!doctype html><html><title>A page</title></html>'"
    assert reported[0] == f"CUT {ACTOR}: is a web page where the actor was asked for: {text}."


def error() -> str:
    return '\'{"error": "Request not signed"}\''
