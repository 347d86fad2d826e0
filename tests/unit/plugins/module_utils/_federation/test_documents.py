# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with NodeInfo, host-meta and the addresses that documents lead to, each in the words that are reported."""

from __future__ import annotations

from typing import Any

import pytest
from mastodon_stand_in import discovery

from .mastodon import ALICE, DOMAIN, HOST, Mastodon, Request, Response, document, page
from .world import World, faults, only

LOOKED_AT = ("nodeinfo", "host-meta", "webfinger", "actor", "inbox")
LINKS = f"https://{DOMAIN}/.well-known/nodeinfo"
INFO = f"https://{HOST}/nodeinfo/2.0"
META = f"https://{DOMAIN}/.well-known/host-meta"
FINGER = f"https://{DOMAIN}/.well-known/webfinger?resource=acct:alice@{DOMAIN}"
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"


def sentence(world: World, check: str) -> str:
    (finding,) = [one for one in world.look().findings if one.fault and one.check == check]
    return f"{finding.verdict} {finding}"


@pytest.mark.parametrize("links", [[], [{"rel": f"{SCHEMA}3.7", "href": INFO}], "none", [{"rel": f"{SCHEMA}2.0"}]])
def test_nodeinfo_without_a_version_that_others_know_is_named(world: World, links: Any) -> None:
    world.change("/.well-known/nodeinfo", document({"links": links}))
    assert sentence(world, "nodeinfo") == f"SOME {LINKS}: names no NodeInfo of a known version."


@pytest.mark.parametrize(
    "href", ["https://other.example.net/nodeinfo/2.0", f"http://{HOST}/nodeinfo/2.0", "https://[", "/nodeinfo/2.0"]
)
def test_nodeinfo_at_an_address_that_is_not_declared_is_named_and_not_asked_for(world: World, href: str) -> None:
    world.change("/.well-known/nodeinfo", document({"links": [{"rel": f"{SCHEMA}2.0", "href": href}]}))
    assert sentence(world, "nodeinfo") == f"SOME {LINKS}: lies at an address that is not declared: {href}."


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "software of its answer is not an object"),
        ({"software": {"name": 7, "version": "1"}}, "software.name of its answer is not a text"),
        ({"software": {"name": "mastodon"}}, "software.version of its answer is not a text"),
    ],
)
def test_nodeinfo_without_the_software_is_named(world: World, content: Any, why: str) -> None:
    world.change("/nodeinfo/2.0", document(content))
    assert sentence(world, "nodeinfo") == f"SOME {INFO}: does not name the software: {why}."


def test_the_newest_nodeinfo_is_taken(world: World) -> None:
    links = [
        {"rel": f"{SCHEMA}{version}", "href": f"https://{HOST}/nodeinfo/{version}"} for version in ("1.0", "2.1", "2.0")
    ]
    world.change("/.well-known/nodeinfo", document({"links": links}))
    world.change("/nodeinfo/2.1", document({"software": {"name": "Fedify", "version": "1.5"}}))
    world.change("/inbox", Response(400), method="POST")
    assert f"https://{HOST}/nodeinfo/2.1: says fedify 1.5." in map(str, world.look().findings)


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (Response(200, b"<XRD/>", {"Content-Type": "application/xrd+xml"}), "application/xrd+xml, '<XRD/>'"),
        (page(200), "text/html, '<!doctype html><html><title>A page</title></html>'"),
    ],
)
def test_host_meta_without_a_way_to_webfinger_is_named(world: World, answer: Response, fact: str) -> None:
    world.change("/.well-known/host-meta", answer)
    assert sentence(world, "host-meta") == f"SOME {META}: does not say where WebFinger is: {fact}."


def test_host_meta_that_is_not_there_is_named(world: World) -> None:
    world.change("/.well-known/host-meta", Response(404))
    assert sentence(world, "host-meta") == f"SOME {META}: is not there: 404 Not Found, empty."


@pytest.mark.parametrize(
    "href", ["https://old.example.net/users/alice", f"http://{HOST}/users/alice", "https://[", f"https://{HOST}:x/"]
)
def test_an_actor_at_an_address_that_is_not_declared_is_named_and_not_asked_for(world: World, href: str) -> None:
    link = {"rel": "self", "type": "application/activity+json", "href": href}
    world.change(
        "/.well-known/webfinger?resource=acct:alice", document({"subject": f"acct:alice@{DOMAIN}", "links": [link]})
    )
    said = f"leads to an actor at an address that is not declared: {href}"
    assert sentence(world, "webfinger") == f"CUT {FINGER}: {said}."


@pytest.mark.parametrize("url", ["https://old.example.net/inbox", f"http://{HOST}/inbox", "https://["])
def test_an_inbox_at_an_address_that_is_not_declared_is_named_and_not_delivered_to(world: World, url: str) -> None:
    alice = {**discovery.actor(Mastodon().site, ALICE), "endpoints": {"sharedInbox": url}}
    world.change("/ap/users/115", document(alice, "application/activity+json"))
    assert sentence(world, "inbox") == f"CUT {url}: is at an address that is not declared."


def test_what_is_no_answer_at_all_is_named(world: World) -> None:
    world.change("/.well-known/webfinger", Response(raw=b"\n"))
    assert f"CUT {FINGER}: does not answer in HTTP: it is not HTTP." in faults(world.look())


def test_a_host_that_stops_to_answer_half_way_is_reported(world: World) -> None:
    site = world.answer

    def browser(request: Request) -> Response:
        return Response(raw=b"\n") if request.headers["accept"] == "text/html" else site(request)

    world.change("/ap/users/115", browser)
    finding = only(world.look())
    assert (
        f"{finding.verdict} {finding}"
        == "CUT Check actor: was not answered by a host that answered before: it is not HTTP."
    )


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"null", b'"text"', b"7", b"{"])
def test_what_is_not_a_json_object_is_named(world: World, body: bytes) -> None:
    world.change("/actor", Response(200, body, {"Content-Type": "application/activity+json"}))
    finding = only(world.look())
    told = f"is not JSON: 200 OK, application/activity+json, {body.decode()!r}"
    assert f"{finding.verdict} {finding}" == f"CUT https://{HOST}/actor: {told}."


def test_a_document_that_is_too_long_is_named(world: World) -> None:
    world.change("/actor", Response(200, b" " * ((1 << 20) + 1), {"Content-Type": "application/activity+json"}))
    finding = only(world.look())
    assert f"{finding.verdict} {finding}" == f"CUT https://{HOST}/actor: is longer than the 1 MiB that others read."
