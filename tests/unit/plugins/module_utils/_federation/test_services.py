# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with streaming, media, keys and clocks, each in the words that are reported."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.identity import fingerprint
from mastodon_stand_in import discovery
from mastodon_stand_in.settings import Site

from .mastodon import ALICE, DOMAIN, HOST, ITSELF, MEDIA, PICTURE, Mastodon, Response, document, moved, page
from .world import ADDRESS, World, faults, only

LOOKED_AT = ("tls", "streaming", "media", "identity", "limits")
STREAMING = f"https://{HOST}/api/v1/streaming"
RAILS = document({"error": "Not Found"}, "application/json; charset=utf-8", 404)
OBJECT = f"https://{MEDIA}{PICTURE}"
ACTOR = f"https://{HOST}/actor"
KEY = fingerprint(ITSELF.public_key)


def sentence(world: World, **declared: Any) -> str:
    finding = only(world.look(**declared))
    return f"{finding.verdict} {finding}"


def test_streaming_that_does_not_run_is_told_from_the_web_by_its_own_answer(world: World) -> None:
    world.change("/api/v1/streaming", Response(502, b"Bad Gateway"))
    assert faults(world.look()) == [
        f"SOME {STREAMING}/health: does not say that streaming is well: 502 Bad Gateway, 'Bad Gateway'.",
        f"SOME {STREAMING}: does not take the upgrade to a WebSocket: 502 Bad Gateway, 'Bad Gateway'.",
    ]


def test_streaming_that_leads_to_the_web_process_is_told_by_its_json(world: World) -> None:
    world.change("/api/v1/streaming", RAILS)
    said = '404 Not Found, application/json, \'{"error": "Not Found"}\''
    assert faults(world.look())[0] == f"SOME {STREAMING}/health: does not say that streaming is well: {said}."


def test_a_route_with_a_slash_at_its_end_leaves_out_what_apps_ask(world: World) -> None:
    site = world.answer
    world.change(
        "/api/v1/streaming", lambda request: site(request) if request.path.startswith("/api/v1/streaming/") else RAILS
    )
    said = '404 Not Found, application/json, \'{"error": "Not Found"}\''
    assert sentence(world) == f"SOME {STREAMING}: leads to streaming with a slash at its end only: {said}."


@pytest.mark.parametrize("answer", [Response(400, b"Bad Request"), Response(426, b"x"), Response(200, b"OK")])
def test_a_proxy_that_drops_the_upgrade_is_found(world: World, answer: Response) -> None:
    site = world.answer
    world.change("/api/v1/streaming", lambda request: answer if "upgrade" in request.headers else site(request))
    assert sentence(world).startswith(f"SOME {STREAMING}: does not take the upgrade to a WebSocket: {answer.status} ")


def test_an_upgrade_that_is_not_answered_is_found(world: World) -> None:
    site = world.answer
    world.change(
        "/api/v1/streaming", lambda request: Response(raw=b"\n") if "upgrade" in request.headers else site(request)
    )
    assert sentence(world) == f"SOME {STREAMING}: does not take the upgrade to a WebSocket: it is not HTTP."


def test_an_upgrade_that_is_taken_at_once_is_fine(world: World) -> None:
    site = world.answer
    world.change("/api/v1/streaming", lambda request: Response(101) if "upgrade" in request.headers else site(request))
    assert faults(world.look()) == []


@pytest.mark.parametrize(
    "named", ["wss://streaming.example.net", f"https://{HOST}", f"ws://{HOST}", "wss://[", "nonsense"]
)
def test_another_address_of_streaming_in_what_apps_read_is_named(world: World, named: str) -> None:
    world.answer = Mastodon(Site("example.org", HOST, streaming_base_url=named))
    told = f"sends apps to another address than streaming is declared at: {named} and not wss://{HOST}"
    assert sentence(world) == f"SOME https://{HOST}/api/v2/instance: {told}."


def test_streaming_at_a_host_of_its_own_is_asked_there(world: World) -> None:
    other = "streaming.example.org"
    world.names[other] = [ADDRESS]
    world.certificates[ADDRESS].show(*world.authority.issue(other), other)
    world.answer = Mastodon(Site("example.org", HOST, streaming_base_url=f"wss://{other}"))
    assert faults(world.look(streaming=other)) == []
    assert other in {request.host for request in world.asked if request.path == "/api/v1/streaming/health"}


@pytest.mark.parametrize("declared", [{"media_path": PICTURE}, {"media_path": PICTURE.lstrip("/")}])
def test_media_that_everybody_can_see_and_nobody_list_are_fine(world: World, declared: dict[str, str]) -> None:
    world.serve_media()
    report = world.look(**declared)
    assert faults(report) == []
    assert f"{OBJECT}: can be fetched by everybody, and read by the web interface." in map(str, report.findings)


def test_without_a_declared_object_a_picture_of_the_account_is_taken(world: World) -> None:
    world.serve_media()
    alice = {**discovery.actor(Mastodon().site, ALICE), "icon": {"type": "Image", "url": OBJECT}}
    site = world.answer
    picture = document(alice, "application/activity+json; charset=utf-8")
    world.change("/ap/users/115", lambda request: picture if "json" in request.headers["accept"] else site(request))
    report = world.look()
    assert faults(report) == []
    assert PICTURE in {request.path for request in world.asked}


def test_without_any_picture_no_object_is_looked_at(world: World) -> None:
    world.serve_media()
    report = world.look()
    assert faults(report) == []
    said = "was not looked at: no object is declared, and neither account nor server has a picture there"
    assert f"https://{MEDIA}/: {said}." in map(str, report.findings)


def test_pictures_that_nobody_may_fetch_are_named(world: World) -> None:
    world.serve_media()
    denied = Response(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
    world.change(PICTURE, denied)
    said = "cannot be fetched by everybody: 403 Forbidden, application/xml, '<Error><Code>AccessDenied</Code></Error>'"
    assert sentence(world, media_path=PICTURE) == f"SOME {OBJECT}: {said}."


def test_pictures_without_cors_are_named(world: World) -> None:
    world.serve_media()
    world.change(PICTURE, Response(200, b"x", {"Content-Type": "image/png"}))
    told = "may not be read by the web interface's scripts: no Access-Control-Allow-Origin"
    assert sentence(world, media_path=PICTURE) == f"SOME {OBJECT}: {told}."


def test_a_list_of_all_objects_is_named(world: World) -> None:
    world.serve_media()
    listing = Response(200, b"<ListBucketResult><Key>a</Key></ListBucketResult>", {"Content-Type": "application/xml"})
    site = world.answer
    world.answer = lambda request: (
        listing if (request.host, request.path, request.port) == (MEDIA, "/", 443) else site(request)
    )
    said = "shows everybody the list of all objects: 200 OK, application/xml, '<ListBucketResult><Key>a</Key></ListBucketResult>'"
    assert sentence(world, media_path=PICTURE) == f"SOME https://{MEDIA}/: {said}."


def test_a_redirect_to_a_host_that_the_policy_does_not_name_is_what_browsers_block(world: World) -> None:
    world.serve_media()
    world.change(PICTURE, moved(f"https://bucket.s3.example.net{PICTURE}"))
    told = f"is at a host that the web interface's policy does not name: bucket.s3.example.net is not in img-src of https://{HOST}/"
    finding = only(world.look(media_path=PICTURE))
    assert f"{finding.verdict} {finding}" == f"SOME {OBJECT}: {told}."
    assert finding.cause
    assert finding.cause.next.startswith("Set S3_ALIAS_HOST to bucket.s3.example.net")


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        ("", False),
        ("default-src *", False),
        ("default-src 'none'", True),
        ("img-src https://*.example.org:443/x", False),
        ("img-src https://*.example.net", True),
        ("img-src 'self'; default-src *", True),
        ("script-src 'self'", False),
    ],
)
def test_the_policy_is_read_as_browsers_read_it(world: World, policy: str, blocked: bool) -> None:
    world.serve_media()
    site = world.answer
    home = page(200, Content_Security_Policy=policy)
    world.answer = lambda request: (
        home if (request.host, request.path, request.port) == (HOST, "/", 443) else site(request)
    )
    assert bool(faults(world.look(media_path=PICTURE))) is blocked


def test_a_name_with_more_dots_than_a_star_stands_for_is_named_by_its_host(world: World) -> None:
    dotted = "media.bucket.example.org"
    world.names[dotted] = [ADDRESS]
    world.certificates[ADDRESS].show(*world.authority.issue("*.example.org"), dotted)
    assert (
        sentence(world, media=dotted)
        == f"CUT https://{dotted} at {ADDRESS}: shows a certificate of other names: *.example.org."
    )


def test_the_key_is_reported_with_its_fingerprint_to_declare(world: World) -> None:
    assert f"{ACTOR}: shows a key, which can be declared to be compared: {KEY}." in map(str, world.look().findings)
    assert f"{ACTOR}: shows the declared key: {KEY}." in map(str, world.look(key=KEY).findings)


def test_another_key_than_the_declared_one_is_named(world: World) -> None:
    assert sentence(world, key="sha256:00") == f"CUT {ACTOR}: shows another key than it had: {KEY} and not sha256:00."


@pytest.mark.parametrize("key", ["", "nonsense", None, 7])
def test_a_key_that_is_none_is_named(world: World, key: Any) -> None:
    itself = {**discovery.actor(Mastodon().site, ITSELF), "publicKey": {"publicKeyPem": key}}
    world.change("/actor", document(itself, "application/activity+json"))
    assert sentence(world).startswith(f"CUT {ACTOR}: shows no key")


def test_line_breaks_do_not_make_another_key() -> None:
    assert fingerprint("-----BEGIN\r\nabc\r\n") == fingerprint("-----BEGIN\nabc")


@pytest.mark.parametrize("declared", ["mastodon", ""])
def test_a_blog_that_speaks_for_itself_on_the_bare_domain_is_not_taken_for_the_software(
    world: World, declared: str
) -> None:
    world.change("/nodeinfo/2.0", document({"software": {"name": "wordpress", "version": "6"}}), host=DOMAIN)
    world.look(software=declared)
    assert "/actor" in {request.path for request in world.asked}
