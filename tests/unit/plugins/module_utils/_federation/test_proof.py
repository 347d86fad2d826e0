# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing passes before an inbox and an actor were found well: what could not be seen is not proved."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict

from .mastodon import DOMAIN, HOST, Mastodon, Request, Response, document, moved, page
from .world import World, faults

LOOKED_AT = ("webfinger", "nodeinfo", "actor", "inbox")
CHALLENGE = page(403, "<html><title>Just a moment...</title>", cf_mitigated="challenge")
NOT_FOUND = "Federation: was not proved to be well, so that the look has failed: "


@pytest.mark.parametrize("answer", [Response(502), CHALLENGE, page(404)], ids=["502", "challenge", "404"])
def test_what_answers_the_same_to_everything_has_not_passed(world: World, answer: Response) -> None:
    world.answer = lambda _request: answer
    report = world.look(account="")
    assert not report.passed
    said = [one for one in faults(report) if NOT_FOUND in one]
    assert said == [
        f"cannot tell {NOT_FOUND}no inbox answered as it should.",
        f"cannot tell {NOT_FOUND}no actor was found, of an account or of the server.",
    ]


def test_other_software_without_an_account_is_not_proved(world: World) -> None:
    world.change("/nodeinfo/2.0", document({"software": {"name": "lemmy", "version": "1"}}))
    report = world.look(account="")
    assert not report.passed
    assert report.verdict is Verdict.CANNOT_TELL


def test_words_that_only_some_software_has_prove_nothing_where_the_software_is_not_known(world: World) -> None:
    world.change("/.well-known/nodeinfo", page(404))
    for path in ("/inbox", "/ap/users/115/inbox"):
        world.change(path, document({"error": "Forbidden"}, status=403), method="POST")
    report = world.look()
    assert not report.passed
    assert [one for one in report.findings if one.verdict in (Verdict.LOST, Verdict.CUT)] == []
    assert f"cannot tell {NOT_FOUND}no inbox answered as it should." in faults(report)


def test_a_bare_domain_that_leads_on_for_webfinger_only_has_a_mastodon_behind_it(world: World) -> None:
    world.change("/.well-known/nodeinfo", page(404), host=DOMAIN)
    report = world.look(account="")
    assert report.passed
    assert f"https://{HOST}/inbox: answers what is not signed as it should: 401 Unauthorized." in map(
        str, report.findings
    )


def test_an_inbox_that_is_gone_is_found_though_the_bare_domain_names_no_software(world: World) -> None:
    world.change("/.well-known/nodeinfo", page(404), host=DOMAIN)
    world.change("/inbox", Response(410), method="POST")
    assert f"LOST https://{HOST}/inbox: says that it is gone for ever: 410 Gone, empty." in faults(
        world.look(account="")
    )


def test_what_there_was_no_time_to_ask_is_not_proved(world: World) -> None:
    world.limits = {"patience": 20.0, "seconds": 60.0, "requests": 3}
    report = world.look()
    assert not report.passed
    said = "Check inbox: was not proved to be well, so that the look has failed: social.example.org was asked 3 times"
    assert [one for one in faults(report) if said in one]


def test_an_actor_behind_a_host_that_nobody_reaches_is_not_proved(world: World) -> None:
    world.names[HOST] = ["192.0.2.77"]
    report = world.look()
    assert not report.passed
    assert f"Check inbox: was not looked at: {HOST} was not reached." in map(str, report.findings)


def test_actors_that_are_hidden_as_declared_hide_their_inboxes_as_well(world: World) -> None:
    world.change("/nodeinfo/2.0", document({"software": {"name": "pleroma", "version": "1"}}))
    world.change("/ap/users/115", document({"error": "Request not signed"}, status=401))
    report = world.look(secure=True)
    assert faults(report) == []
    assert report.passed
    assert not world.look(secure=False).passed


def test_gotosocial_has_its_inbox_below_the_actor_that_it_shows_to_nobody(world: World) -> None:
    world.change("/nodeinfo/2.0", document({"software": {"name": "gotosocial", "version": "1"}}))
    world.change("/ap/users/115", document({"error": "Unauthorized"}, status=401))
    report = world.look()
    assert report.passed
    assert "POST /ap/users/115/inbox" in {f"{one.method} {one.path}" for one in world.asked}


def test_limited_federation_is_proved_by_what_it_shows_to_all(world: World) -> None:
    site = Mastodon()

    def limited(request: Request) -> Response:
        if request.path.startswith("/ap/users/115") and request.method == "GET":
            refusal = json.dumps({"error": "Request not signed"}).encode()
            return Response(401, refusal, {"Content-Type": "application/json", "Vary": "Accept, Signature"})
        return site(request)

    world.answer = limited
    report = world.look(limited=True)
    assert faults(report) == []
    assert report.passed


def test_followed_hosts_are_reached_and_what_they_answer_is_judged(world: World) -> None:
    follow(world)
    report = world.look(followed=("www.example.org",))
    assert faults(report) == []
    assert report.passed
    assert "www.example.org" in {one.host for one in world.asked}


def test_a_followed_host_that_answers_no_accounts_cuts_off_as_any_other(world: World) -> None:
    follow(world)
    for path in ("/.well-known/webfinger", "/.well-known/host-meta"):
        world.change(path, page(404), host="www.example.org")
    report = world.look(followed=("www.example.org",))
    assert not report.passed
    assert [one for one in faults(report) if one.startswith("CUT ") and "is not there: 404" in one]


def test_a_followed_host_that_nobody_reaches_is_not_proved(world: World) -> None:
    follow(world)
    world.names["www.example.org"] = ["192.0.2.77"]
    report = world.look(followed=("www.example.org",))
    assert not report.passed


def follow(world: World) -> None:
    """Let the bare domain lead to a third host, which leads to the web host."""
    world.names["www.example.org"] = world.names[HOST]
    certificates = next(iter(world.certificates.values()))
    certificates.show(*world.authority.issue("www.example.org"), "www.example.org")
    site = Mastodon()
    world.change(
        "/.well-known/", lambda request: moved(f"https://www.example.org{request.path}", **cors(request)), host=DOMAIN
    )
    there = world.answer
    world.answer = lambda request: (
        site(as_host(request, HOST)) if request.host == "www.example.org" and request.port == 443 else there(request)
    )


def as_host(request: Request, host: str) -> Request:
    """Return a request as one for another host."""
    named = {**request.headers, "host": host}
    return Request(request.method, host, request.path, named, request.body, request.address, request.port, request.sni)


def cors(request: Request) -> dict[str, str]:
    """Return what lets scripts read a redirect."""
    return {"Access_Control_Allow_Origin": "*"} if "origin" in request.headers else {}
