# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What routes change, what stands in front of Mastodon, and what belongs to it, each made wrong: what others lose, and why."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from ...conftest import Lab
from ..zone import DOMAIN
from .belongings import MEDIA, another_key, clock_off, hidden, known_key, picture
from .breaking import (
    INBOX,
    ROUTE,
    ROUTED,
    STREAMING,
    Break,
    Fault,
    add,
    is_traced,
    looked,
    set_field,
)
from .fronts import FRONT, Answer, Asked, Pass, Spoil, honest, in_front, page

pytestmark = pytest.mark.usefixtures("settled")
WEBFINGER = f"https://{DOMAIN}/.well-known/webfinger"


def cache() -> Spoil:
    """Return a cache that looks at paths alone."""
    kept: dict[str, Answer] = {}

    def spoil(asked: Asked, ask: Pass) -> Answer:
        if asked.method != "GET" or "/users/" not in asked.path:
            return ask(asked)
        return kept.setdefault(asked.path, ask(asked))

    return spoil


def firewall(asked: Asked, ask: Pass) -> Answer:
    """Refuse types that a rule of long ago does not know."""
    known = asked.headers.get("content-type", "application/json").partition(";")[0] == "application/json"
    return ask(asked) if known else page(403)


def short(asked: Asked, ask: Pass) -> Answer:
    """Refuse what is longer than some."""
    return ask(asked) if len(asked.body) <= 64 << 10 else page(413)


def agents(asked: Asked, ask: Pass) -> Answer:
    """Let browsers in."""
    return ask(asked) if asked.headers.get("user-agent", "").startswith("Mozilla/") else page(403)


def bots(asked: Asked, ask: Pass) -> Answer:
    """Want to see a browser, as those who have set this up in haste."""
    return ask(asked) if asked.method == "GET" else page(403, "<html><title>Just a moment...</title></html>")


def deaf(asked: Asked, ask: Pass) -> Answer:
    """Pass on nothing that is of one hop."""
    return ask(asked.without("connection", "upgrade"))


def unaccepting(asked: Asked, ask: Pass) -> Answer:
    """Ask for what a browser wants, whoever asks."""
    return ask(asked.without("accept"))


def changed(filter_: Mapping[str, object]) -> Break:
    """Return what adds a filter to the route of all but streaming."""
    return lambda stack, lab: add(stack, lab, ROUTE, "/spec/rules/1/filters", [filter_])


def header(kind: str, **what: object) -> Break:
    """Return what changes headers of requests or responses."""
    field = f"{kind}HeaderModifier"
    return changed({"type": f"{field[0].upper()}{field[1:]}", field: what})


BROKEN: Mapping[str, Fault] = {
    "a route that loses the scheme": Fault(
        header("request", set=[{"name": "X-Forwarded-Proto", "value": "http"}]),
        WEBFINGER,
        "CUT",
        "redirects to itself",
        f"{ROUTED} sets request header X-Forwarded-Proto",
    ),
    "a route that loses the host": Fault(
        changed({"type": "URLRewrite", "urlRewrite": {"hostname": "other.lab.test"}}),
        INBOX,
        "LOST",
        "refuses what others send in a way that is final",
        f"{ROUTED} asks for host other.lab.test",
    ),
    "a route that keeps scripts of others out": Fault(
        header("response", remove=["Access-Control-Allow-Origin"]),
        WEBFINGER,
        "SOME",
        "may not be read by scripts of other sites",
        f"{ROUTED} removes response header Access-Control-Allow-Origin",
    ),
    "a front that strips what is accepted": Fault(
        in_front(unaccepting), f"https://{DOMAIN}/", "CUT", "is a web page where the actor was asked for", FRONT
    ),
    "a front that drops the upgrade": Fault(
        in_front(deaf),
        f"https://{DOMAIN}/api/v1/streaming",
        "SOME",
        "does not take the upgrade to a WebSocket",
        "a proxy on the way drops the headers Upgrade and Connection; 10.",
    ),
    "a front that keeps actors for all": Fault(
        in_front(cache()),
        f"https://{DOMAIN}/",
        "CUT",
        "is sometimes a page and sometimes an actor, whatever is asked for",
        FRONT,
    ),
    "a front that knows no activities": Fault(
        in_front(firewall), INBOX, "LOST", "refuses activities, and takes other JSON", FRONT
    ),
    "a front that refuses what is long": Fault(
        in_front(short), INBOX, "LOST", "refuses what is long, which Mastodon takes up to 1 MiB", FRONT
    ),
    "a front that lets browsers in only": Fault(
        in_front(agents), f"https://{DOMAIN}/", "CUT", "lets browsers in and refuses Mastodon", FRONT
    ),
    "a front that wants to see browsers": Fault(
        in_front(bots),
        INBOX,
        "LOST",
        "refuses what others send in a way that is final",
        "a content delivery network shows a challenge for browsers, which no server can solve",
    ),
    "streaming that leads to the web process": Fault(
        lambda stack, lab: set_field(
            stack, lab, ROUTE, "/spec/rules/0/backendRefs/0", {"name": "mastodon-web", "port": 3000}
        ),
        STREAMING,
        "SOME",
        "does not say that streaming is well",
        "the streaming pods do not run, or the gateway leads elsewhere",
    ),
    "media that nobody may fetch": Fault(
        hidden,
        MEDIA,
        "SOME",
        "cannot be fetched by everybody",
        "neither a policy nor ACLs of the bucket let everybody read",
        picture,
    ),
    "media without a store": Fault(
        lambda stack, lab: set_field(
            stack, lab, ("httproute", "-n=mastodon", "mastodon-media"), "/spec/rules/0/backendRefs/0/name", "renamed"
        ),
        MEDIA,
        "SOME",
        "cannot be fetched by everybody",
        "HTTPRoute mastodon/mastodon-media: RefNotPermitted; Service ",
        picture,
    ),
    "keys of another database": Fault(
        another_key,
        f"https://{DOMAIN}/actor",
        "CUT",
        "shows another key than it had",
        "the database was made anew, and the keys with it",
        known_key,
    ),
    "pods whose clock is off": Fault(
        clock_off,
        f"https://{DOMAIN}/api/v2/instance",
        "CUT",
        "counts with a clock that is off by more than the hour that others grant",
        "Pod mastodon/mastodon-web-",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_others_lose_is_named_with_its_cause(installed: Lab, name: str) -> None:
    is_traced(installed, BROKEN[name])


def test_a_front_that_passes_all_on_is_fine(installed: Lab) -> None:
    with ExitStack() as stack:
        in_front(honest)(stack, installed)
        assert looked(installed) == []
