# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other software, and Mastodon in its less common shapes, passes: what they answer is what their sources and, where they were run, they say.

GoToSocial: internal/middleware, internal/api/util/mime.go. Lemmy: crates/apub.
Misskey: https://github.com/misskey-dev/misskey/blob/develop/packages/backend/src/server/ActivityPubServerService.ts
PeerTube: https://github.com/Chocobozzz/PeerTube/blob/develop/server/core/middlewares/activitypub.ts
Pixelfed: https://github.com/pixelfed/pixelfed/blob/dev/app/Http/Controllers/FederationController.php
Friendica: https://github.com/friendica/friendica/blob/develop/src/Module/ActivityPub/Inbox.php
WriteFreely: https://github.com/writefreely/writefreely/blob/develop/activitypub.go
Pleroma: its controllers. Fedify 1.5.9, pubby 0.6.2 and ActivityRelay 0.3.5 were asked by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict

from .mastodon import DOMAIN, HOST, Mastodon, Request, Response, document, moved, page
from .world import World, assert_passes, faults

ACTIVITY = "application/activity+json"
ACTOR = f"https://{DOMAIN}/users/alice"
JRD = "application/jrd+json"
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"


@dataclass(frozen=True)
class Software:
    """How one of them differs from the others."""

    name: str
    finger: str = JRD
    versions: tuple[str, ...] = ("2.0",)
    kind: str = ACTIVITY
    person: str = "Person"
    actor: int = 200
    page: int = 200
    inbox: Response = Response(401)  # noqa: RUF009 what it is never changes
    # What its inbox takes, in bytes.
    most: int = 1 << 20

    def __call__(self, request: Request) -> Response:
        """Return what comes back."""
        path = request.path.partition("?")[0]
        if request.port == 80:
            return moved(f"https://{request.host}{request.path}")
        if path == "/.well-known/webfinger":
            return self._found(request)
        if path == "/.well-known/nodeinfo":
            return document(
                {"links": [{"rel": f"{SCHEMA}{one}", "href": f"https://{DOMAIN}/info/{one}"} for one in self.versions]}
            )
        if path.startswith("/info/"):
            return document({"software": {"name": self.name, "version": "1.0"}})
        if path == "/users/alice":
            return self._shown(request)
        if not path.endswith("/inbox") or request.method != "POST":
            return Response(404)
        if len(request.body) > self.most:
            return document({"code": "FST_ERR_CTP_BODY_TOO_LARGE"}, "application/json; charset=utf-8", 413)
        return self.inbox

    def _found(self, request: Request) -> Response:
        if f"resource=acct:alice@{DOMAIN}" not in request.path:
            return Response(404)
        link = {"rel": "self", "type": ACTIVITY, "href": ACTOR}
        return document({"subject": f"acct:alice@{DOMAIN}", "links": [link]}, self.finger)

    def _shown(self, request: Request) -> Response:
        if "json" not in request.headers.get("accept", "") and self.page != 200:
            return Response(self.page)
        if self.actor != 200:
            return document({"error": "Unauthorized"}, status=self.actor)
        content: dict[str, Any] = {
            "@context": ["https://www.w3.org/ns/activitystreams"],
            "id": ACTOR,
            "type": self.person,
            "preferredUsername": "alice",
            "inbox": f"{ACTOR}/inbox",
            "publicKey": {"id": f"{ACTOR}#main-key", "publicKeyPem": "-----BEGIN PUBLIC KEY-----"},
        }
        return document(content, self.kind)


ALL = (
    Software(
        "gotosocial",
        versions=("2.0", "2.1"),
        actor=401,
        inbox=document({"error": "Unauthorized: http request wasn't signed"}, status=401),
    ),
    Software("peertube", inbox=document({"status": 403, "type": "about:blank"}, "application/problem+json", 403)),
    Software(
        "lemmy", versions=("2.1",), inbox=Response(400, b'{"error":"unknown"}', {"Content-Type": "application/json"})
    ),
    Software("misskey", versions=("2.1", "2.0"), kind=f"{ACTIVITY}; charset=utf-8", most=64 * 1024),
    # Nothing is returned, which PHP calls an empty page.
    Software("pixelfed", finger="application/json", inbox=page(200, "")),
    Software("friendica", versions=("1.0", "2.0"), inbox=page(202, "")),
    Software("writefreely", inbox=Response(200, b'""', {"Content-Type": ACTIVITY})),
    Software(
        "pleroma",
        finger="application/json; charset=utf-8",
        inbox=Response(400, b'"error"', {"Content-Type": "application/json"}),
    ),
    Software("fedify", versions=("2.1",), page=406),
    Software("pubby", versions=("2.1",)),
    Software(
        "activityrelay",
        finger="application/json",
        versions=("2.0", "2.1"),
        person="Application",
        inbox=Response(400, b"missing signature header"),
    ),
)


@pytest.mark.parametrize("software", ALL, ids=lambda software: software.name)
def test_other_software_passes_as_it_is(world: World, software: Software) -> None:
    world.answer = software
    report = world.look(host=DOMAIN)
    assert faults(report) == []
    assert report.passed
    assert f"https://{DOMAIN}/info/{max(software.versions)}: says {software.name} 1.0." in map(str, report.findings)


def test_a_writefreely_that_fails_at_an_actor_it_cannot_fetch_is_neither_well_nor_cut_off(world: World) -> None:
    said = {"code": 500, "error_msg": "Couldn't fetch actor."}
    world.answer = Software("writefreely", inbox=document(said, status=500))
    report = world.look(host=DOMAIN)
    assert report.verdict is Verdict.CANNOT_TELL
    told = "says that it failed, as some do for what is not signed: 500 Internal Server Error, application/json"
    assert f"{ACTOR}/inbox: {told}, " in "\n".join(map(str, report.findings))
    assert not report.passed


@pytest.mark.parametrize(
    "answer",
    [
        page(403),
        page(500),
        page(200),
        document({"error": "Forbidden"}, status=403, cf_mitigated="challenge"),
        Response(403, b"error code: 1020", {"Content-Type": "text/plain"}),
    ],
    ids=["403 page", "500 page", "200 page", "challenge in JSON", "403 in plain text"],
)
def test_what_stands_in_front_of_other_software_is_found_all_the_same(world: World, answer: Response) -> None:
    world.answer = Software("peertube", inbox=answer)
    report = world.look(host=DOMAIN)
    assert not report.passed
    assert report.findings[0].check == "inbox"
    assert report.verdict in (Verdict.LOST, Verdict.CUT)


def test_a_cdn_that_heeds_vary_is_fine(world: World) -> None:
    site = world.answer

    def cdn(request: Request) -> Response:
        response = site(request)
        kept = (
            {"Age": "31", "X-Cache": "HIT", "Via": "1.1 cdn", "CF-Cache-Status": "HIT"}
            if request.method == "GET"
            else {}
        )
        return Response(response.status, response.body, {**response.headers, **kept, "Server": "cloudflare"})

    world.answer = cdn
    assert_passes(world.look())


def test_an_instance_of_one_user_whose_home_page_is_that_user_is_fine(world: World) -> None:
    world.serve_media()
    site = world.answer
    home = ("/", HOST, 443)
    alice = moved(f"https://{HOST}/@alice", 302)
    world.answer = lambda request: alice if (request.path, request.host, request.port) == home else site(request)
    assert_passes(world.look())


def test_a_server_that_refuses_head_is_fine(world: World) -> None:
    site = world.answer
    world.answer = lambda request: Response(405) if request.method == "HEAD" else site(request)
    assert_passes(world.look())
    assert "HEAD" not in {request.method for request in world.asked}


def test_a_bare_domain_without_a_web_site_is_fine(world: World) -> None:
    site = world.answer

    def apex(request: Request) -> Response:
        known = request.path.startswith("/.well-known/") or request.port == 80
        return site(request) if request.host != DOMAIN or known else page(404)

    world.answer = apex
    assert_passes(world.look())
    assert Mastodon().site.local_domain == DOMAIN
