# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User agents: whether servers are let in by whatever name they call themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import nodeinfo, webfinger
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    ACCEPT_ACTIVITY,
    MASTODON,
    NoAnswerError,
)

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# What programs in Go say that say nothing of themselves.
GO = "Go-http-client/1.1"
_AGENTS = {"a browser": BROWSER, "Mastodon": MASTODON, "a program in Go": GO}
_LIST = Cause(
    "a list of user agents, or a rule against bots, refuses it",
    "curl -s -o /dev/null -w '%{{http_code}}' -A '{agent}' '{subject}'",
)
MASTODON_REFUSED = Fault(
    "mastodon-refused",
    Verdict.CUT,
    "lets browsers in and refuses Mastodon",
    "Mastodon servers can neither fetch accounts nor check signatures, and try again for some days.",
    _LIST,
)
OTHERS_REFUSED = Fault(
    "others-refused",
    Verdict.SOME,
    "lets Mastodon in and refuses others",
    "Servers that call themselves otherwise, such as those in Go, cannot fetch accounts.",
    _LIST,
)


def look(scene: Scene) -> Iterator[Finding]:
    """Fetch one document under several names."""
    url = _document(scene)
    said = {name: _answer(scene, url, agent) for name, agent in _AGENTS.items()}
    fact = ", ".join(f"{answer} to {name}" for name, answer in said.items())
    browser, mastodon, go = said.values()
    if any(not answer.status for answer in said.values()):
        # Whoever is slow refuses nobody.
        yield Finding(Verdict.CANNOT_TELL, url, "was not answered each time", fact)
    elif browser.is_let_in and not mastodon.is_let_in:
        yield MASTODON_REFUSED.at(url, fact, agent=MASTODON)
    elif mastodon.is_let_in and not (browser.is_let_in and go.is_let_in):
        yield OTHERS_REFUSED.at(url, fact, agent=GO if browser.is_let_in else BROWSER)
    elif not mastodon.is_let_in and mastodon.status != 401:
        yield skipped(url, f"it is refused to all: {mastodon}")
    else:
        yield fine(url, "answers browsers, Mastodon and programs in Go alike", str(mastodon))


def _document(scene: Scene) -> str:
    """Return an address that every server fetches: the account's actor, else the server's, else what names the software."""
    if scene.target.account:
        try:
            return webfinger.actor_of(scene, scene.target.account)
        except (FoundError, NoAnswerError):
            pass
    if nodeinfo.software(scene) == "mastodon":
        return f"https://{scene.target.host}/actor"
    return f"https://{scene.target.host}/.well-known/nodeinfo"


@dataclass(frozen=True)
class _Answer:
    """What came back: of no status when nothing did."""

    status: int
    words: str

    @property
    def is_let_in(self) -> bool:
        """Whether it is no refusal: whatever else differs, such as a page in place of an actor, is found elsewhere."""
        return self.status < 400

    def __str__(self) -> str:
        """Return it as it is reported."""
        return shown(self.words, 40)


def _answer(scene: Scene, url: str, agent: str) -> _Answer:
    try:
        reply = scene.visitor.ask_twice(url, user_agent=agent, accept=ACCEPT_ACTIVITY)
    except NoAnswerError as error:
        return _Answer(0, str(error))
    return _Answer(reply.status, str(reply))


CHECK = Check("agents", __doc__, (MASTODON_REFUSED, OTHERS_REFUSED), look)
