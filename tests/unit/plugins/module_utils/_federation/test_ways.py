# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What depends on who asks and by which way: names of software, limits, addresses, versions of TLS, shared connections, plain HTTP."""

from __future__ import annotations

import json
import ssl

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.agents import BROWSER
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import MASTODON, Visitor

from .mastodon import DOMAIN, HOST, MEDIA, PICTURE, Mastodon, Request, Response, document, moved, page
from .world import ADDRESS, World, faults, only

ACTOR = f"https://{HOST}/ap/users/115"
INSTANCE = f"https://{HOST}/api/v2/instance"
INFO = "/.well-known/nodeinfo"
OTHER, SIX = "192.0.2.9", "2001:db8::1"


def test_a_list_of_agents_that_keeps_mastodon_out_is_told_by_a_browser_that_is_let_in(world: World) -> None:
    site = world.answer

    def firewall(request: Request) -> Response:
        return page(403) if request.headers["user-agent"] == MASTODON else site(request)

    world.change("/ap/users/115", firewall)
    said = "403 Forbidden to Mastodon, 200 OK to a program in Go"
    assert f"CUT {ACTOR}: lets browsers in and refuses Mastodon: 200 OK to a browser, {said}." in faults(world.look())


def test_a_server_that_is_slow_for_mastodon_once_refuses_nobody(world: World) -> None:
    site, late = world.answer, iter([Response(raw=b"\n")])

    def slow(request: Request) -> Response:
        return next(late, site(request)) if request.headers["user-agent"] == MASTODON else site(request)

    world.checks = ("agents",)
    world.change("/ap/users/115", slow)
    assert faults(world.look()) == []


def test_a_server_that_does_not_answer_mastodon_at_all_cannot_be_judged_by_names(world: World) -> None:
    site = world.answer

    def silent(request: Request) -> Response:
        return Response(raw=b"\n") if request.headers["user-agent"] == MASTODON else site(request)

    world.checks = ("agents",)
    world.change("/ap/users/115", silent)
    (finding,) = world.look().findings
    told = "200 OK to a browser, it is not HTTP to Mastodon, 200 OK to a program in Go"
    assert f"{finding.verdict} {finding}" == f"cannot tell {ACTOR}: was not answered each time: {told}."


def test_a_list_of_agents_that_keeps_others_out_is_named(world: World) -> None:
    site = world.answer

    def firewall(request: Request) -> Response:
        return page(403) if request.headers["user-agent"].startswith("Go-") else site(request)

    world.change("/ap/users/115", firewall)
    finding = only(world.look())
    said = "200 OK to a browser, 200 OK to Mastodon, 403 Forbidden to a program in Go"
    assert f"{finding.verdict} {finding}" == f"SOME {ACTOR}: lets Mastodon in and refuses others: {said}."


def test_what_is_refused_to_all_says_nothing_of_names(world: World) -> None:
    world.change("/ap/users/115", page(403))
    (finding,) = [one for one in world.look().findings if one.check == "agents"]
    assert f"{finding.verdict} {finding}" == f"skipped {ACTOR}: was not looked at: it is refused to all: 403 Forbidden."


def test_what_is_answered_nowhere_says_nothing_of_connections_and_addresses(world: World) -> None:
    another_machine(world, OTHER)
    world.change(INFO, Response(404))
    said = [
        f"{one.verdict} {one}" for one in world.look().findings if one.check == "connections" and INFO in one.subject
    ]
    assert said == [
        f"skipped https://{host}{INFO}: was not looked at: it is answered nowhere: 404 Not Found."
        for host in (HOST, DOMAIN, HOST)
    ]


@pytest.mark.parametrize("status", [406, 418])
def test_a_server_that_wants_another_accept_is_told_by_its_status(world: World, status: int) -> None:
    world.change("/ap/users/115", Response(status, b"no"))
    (finding,) = [one for one in world.look().findings if one.check == "actor" and one.fault]
    assert str(finding).startswith(f"{ACTOR}: is refused: {status} ")
    assert finding.cause
    assert finding.cause.why == "the server wants another Accept or User-Agent than Mastodon sends"


def limited(world: World, remaining: str, forged: str = "") -> None:
    """Let the answer say what is left, and what is left to those who name another address."""

    def answer(request: Request) -> Response:
        left = forged if forged and "x-forwarded-for" in request.headers else remaining
        return document({}, X_RateLimit_Limit="300", X_RateLimit_Remaining=left)

    world.change("/api/v2/instance", answer)


def test_a_bucket_that_others_have_taken_from_is_shared(world: World) -> None:
    limited(world, "17")
    finding = only(world.look())
    said = "counts requests of others as ours: 17 of 300 are left before we asked for anything else"
    assert f"{finding.verdict} {finding}" == f"note {INSTANCE}: {said}."
    assert "closes this one to all newcomers for five minutes" in finding.loses


def test_an_application_that_believes_every_address_is_named(world: World) -> None:
    limited(world, "297", "299")
    finding = only(world.look())
    said = "297, and to each of two invented addresses 299, of 300 are left"
    assert f"{finding.verdict} {finding}" == f"SOME {INSTANCE}: believes whatever address a client names: {said}."


def test_a_limit_that_counts_nothing_says_nothing_of_addresses(world: World) -> None:
    limited(world, "299")
    assert faults(world.look()) == []


@pytest.mark.parametrize("remaining", ["", "many", "٣", "9" * 5000])
def test_limits_that_are_not_said_are_not_judged(world: World, remaining: str) -> None:
    world.change(
        "/api/v2/instance", Response(200, b"{}", {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": remaining})
    )
    assert faults(world.look()) == []


def test_with_limited_federation_nobody_is_counted(world: World) -> None:
    world.change("/api/v2/instance", document({"error": "no"}, status=401))
    world.change("/ap/users/115", document({"error": "Request not signed"}, status=401))
    assert [one for one in faults(world.look(limited=True)) if "api/v2" in one] == []


def test_plain_http_that_leads_nowhere_is_noted(world: World) -> None:
    site = world.answer
    world.answer = lambda request: page(200) if request.port == 80 and request.host == HOST else site(request)
    finding = only(world.look())
    assert f"{finding.verdict} {finding}" == f"note http://{HOST}/: does not lead to https: 200 OK."


def test_plain_http_that_nobody_answers_is_noted(world: World) -> None:
    del world.ports[ADDRESS, 80]
    reported = faults(world.look())
    assert reported == [f"note http://{host}/: is not answered: Connection refused." for host in (DOMAIN, HOST)]


def another_machine(world: World, address: str) -> None:
    """Let the web host have a second address, with a certificate as good."""
    world.names[HOST] = [ADDRESS, address]
    world.serve(address).show(*world.authority.issue(DOMAIN, HOST))


def test_an_address_of_another_machine_is_found_by_what_it_answers(world: World) -> None:
    another_machine(world, SIX)
    site = world.answer
    world.answer = lambda request: page(404) if (request.address, request.port) == (SIX, 443) else site(request)
    finding = only(world.look())
    said = f"404 Not Found, text/html at {SIX}, 200 OK, application/json at {ADDRESS}"
    assert (
        f"{finding.verdict} {finding}"
        == f"CUT https://{HOST}{INFO}: is answered otherwise at one of its addresses: {said}."
    )


@pytest.mark.parametrize("times", [1, 2, 9])
def test_an_address_that_does_not_answer_in_time_is_no_other_machine(world: World, times: int) -> None:
    another_machine(world, SIX)
    site, late = world.answer, iter([Response(raw=b"\n")] * times)
    world.answer = lambda request: (
        next(late, site(request)) if (request.address, request.path) == (SIX, INFO) else site(request)
    )
    world.checks = ("connections",)
    assert faults(world.look()) == []


def test_an_address_that_fails_once_is_no_other_machine(world: World) -> None:
    another_machine(world, SIX)
    site, failed = world.answer, iter([Response(502)])
    world.answer = lambda request: (
        next(failed, site(request)) if (request.address, request.path) == (SIX, INFO) else site(request)
    )
    world.checks = ("connections",)
    assert faults(world.look()) == []


def test_an_address_of_another_machine_is_found_by_its_certificate(world: World) -> None:
    world.names[HOST] = [ADDRESS, SIX]
    world.serve(SIX).show(*world.authority.issue("parked.example.net"))
    finding = only(world.look())
    assert (
        f"{finding.verdict} {finding}"
        == f"CUT https://{HOST} at {SIX}: shows a certificate of other names: parked.example.net."
    )


def test_two_addresses_of_one_server_are_fine(world: World) -> None:
    another_machine(world, OTHER)
    report = world.look()
    assert faults(report) == []
    assert f"https://{HOST}{INFO}: is answered the same at each address: {ADDRESS}, {OTHER}." in map(
        str, report.findings
    )


def test_a_server_that_speaks_new_tls_only_shuts_old_ones_out(world: World) -> None:
    world.certificates[ADDRESS].versions = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)
    assert faults(world.look()) == [
        f"SOME https://{host}: does not speak TLS 1.2: TLS 1.3 only." for host in (DOMAIN, HOST)
    ]


def test_a_server_that_begins_no_version_alone_is_not_said_to_shut_old_ones_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Visitor, "speaks", lambda *_asked: False)
    world.checks = ("connections",)
    report = world.look()
    assert faults(report) == []
    said = "began TLS when all its versions were offered, and then by none alone"
    assert f"https://{HOST}: {said}." in [str(one) for one in report.findings if one.verdict == "cannot tell"]


def test_a_server_that_speaks_tls_1_2_only_is_fine(world: World) -> None:
    world.certificates[ADDRESS].versions = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    report = world.look()
    assert faults(report) == []
    assert f"https://{HOST}: speaks TLS 1.2." in map(str, report.findings)


@pytest.mark.parametrize(("status", "said"), [(421, "421 Misdirected Request"), (404, "404 Not Found")])
def test_a_connection_for_another_host_that_is_not_taken_is_what_browsers_see(
    world: World, status: int, said: str
) -> None:
    site = world.answer
    world.answer = lambda request: (
        Response(status) if request.port == 443 and request.sni != request.host else site(request)
    )
    shared = "is answered otherwise over a connection that was opened for another host"
    assert faults(world.look()) == [
        f"SOME https://{DOMAIN}{INFO}: {shared}: {said} over one for {HOST}, 301 Moved Permanently over one of its own.",
        f"SOME https://{HOST}{INFO}: {shared}: {said} over one for {DOMAIN}, 200 OK, application/json over one of its own.",
    ]


def test_a_store_that_refuses_by_each_way_is_the_same_store(world: World) -> None:
    world.serve_media()
    world.certificates[ADDRESS].show(*world.authority.issue(DOMAIN, HOST, MEDIA), HOST, MEDIA)
    refused = Response(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
    world.change(INFO, refused, host=MEDIA)
    said = f"https://{MEDIA}{INFO}: is answered the same over a connection for {HOST}."
    assert said in map(str, world.look(media_path=PICTURE).findings)


def test_hosts_with_certificates_of_their_own_share_no_connection(world: World) -> None:
    for host in (DOMAIN, HOST):
        world.certificates[ADDRESS].show(*world.authority.issue(host), host)
    assert faults(world.look()) == []
    assert [request for request in world.asked if request.port == 443 and request.sni != request.host] == []


def test_no_host_is_asked_more_often_than_is_allowed(world: World) -> None:
    another_machine(world, OTHER)
    world.look()
    asked = [request.host for request in world.asked]
    assert {host: asked.count(host) for host in set(asked) if asked.count(host) > 40} == {}
    assert {request.headers["user-agent"] for request in world.asked} >= {BROWSER, MASTODON}


def test_other_software_is_looked_at_by_what_names_it(world: World) -> None:
    info = json.loads(Mastodon()(Request("GET", HOST, "/nodeinfo/2.0", {}, b"", "", 443, "")).body)
    world.change("/nodeinfo/2.0", document({**info, "software": {"name": "Lemmy", "version": "1.0"}}))
    world.change("/inbox", Response(400), method="POST")
    report = world.look(account="")
    # Where its inboxes are only an account says.
    assert {one.fault for one in report.findings} == {"", "not-proved"}
    assert f"https://{HOST}{INFO}: answers browsers, Mastodon and programs in Go alike: 200 OK." in map(
        str, report.findings
    )
    assert moved("x").status == 301
