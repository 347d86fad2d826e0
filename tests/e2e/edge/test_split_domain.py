# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People are at a bare domain that is another web site: seen as well, and what others lose by what that web site does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from ...conftest import Lab
from ..neighbours.breaking import AUTHORITY, Break, Fault, findings, is_traced
from ..neighbours.fronts import Answer, Asked, Pass, answered, page
from ..zone import DOMAIN, Zone
from .declared import BARE, SPLIT

FINGER = f"https://{BARE}/.well-known/webfinger"


def by(site: Callable[[Asked], Answer]) -> Break:
    """Return what lets somebody else be at the bare domain."""

    def answer(asked: Asked, _ask: Pass) -> Answer:
        return site(asked)

    def broken(stack: ExitStack, lab: Lab) -> None:
        address = lab.facts["machine_address"]
        stack.enter_context(answered(lab, address, "".join(AUTHORITY.issue(BARE)), answer))
        stack.enter_context(Zone(lab).instead(BARE, "A", address))

    return broken


def led(to: str, **headers: str) -> Answer:
    """Return a redirect."""
    return Answer(301, {"location": to, **headers}, b"")


def whole(asked: Asked) -> Answer:
    """Lead on to the same at Mastodon's host, and let any script follow."""
    return led(f"https://{DOMAIN}{asked.path}", **{"access-control-allow-origin": "*"})


def without_query(asked: Asked) -> Answer:
    """Lead on as a rule does that names the path alone."""
    return whole(Asked(asked.method, urlsplit(asked.path).path, asked.headers, asked.body))


def for_no_script(asked: Asked) -> Answer:
    """Lead on without a word on who may read it."""
    return led(f"https://{DOMAIN}{asked.path}")


def back(asked: Asked) -> Answer:
    """Lead to where it was asked."""
    return led(f"https://{BARE}{asked.path}")


def by_itself(_asked: Asked) -> Answer:
    """Know nothing of Mastodon."""
    return page(404)


def host_meta_alone(asked: Asked) -> Answer:
    """Lead on what an older guide names."""
    return whole(asked) if asked.path.startswith("/.well-known/host-meta") else page(404)


BROKEN: Mapping[str, Fault] = {
    "a redirect without the query": Fault(
        by(without_query),
        FINGER,
        "CUT",
        "redirects without the query",
        f"the redirect of {BARE} is written without it",
    ),
    "a redirect that scripts may not follow": Fault(
        by(for_no_script),
        FINGER,
        "SOME",
        "may not be read by scripts of other sites",
        f"the redirect or the answer of {BARE} is without the header",
    ),
    "a redirect to itself": Fault(
        by(back), FINGER, "CUT", "redirects to itself", f"the redirect of {BARE} leads back to {BARE}"
    ),
    "a web site that answers by itself": Fault(
        by(by_itself), FINGER, "CUT", "is not there", "another web site answers at the bare domain"
    ),
    "a web site that leads on host-meta alone": Fault(
        by(host_meta_alone),
        FINGER,
        "SOME",
        "is not there, though host-meta leads to it",
        f"only host-meta is redirected at {BARE}",
    ),
}


def test_a_bare_domain_that_leads_others_on_is_fine(split: Lab) -> None:
    found = findings(split, **SPLIT)
    assert [one for one in found if one["verdict"] in ("LOST", "CUT", "SOME", "cannot tell")] == []
    well = {(one["check"], one["subject"].partition("?")[0]) for one in found if one["verdict"] == "fine"}
    assert ("webfinger", FINGER) in well


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_web_site_does_is_named_with_what_others_lose(split: Lab, name: str) -> None:
    is_traced(split, BROKEN[name], **SPLIT)


def test_a_web_site_of_anybody_s_that_leads_on_the_whole_address_is_fine(split: Lab) -> None:
    with ExitStack() as stack:
        by(whole)(stack, split)
        wrong = [one for one in findings(split, **SPLIT) if one["verdict"] in ("LOST", "CUT", "SOME")]
        assert wrong == []
