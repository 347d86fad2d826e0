# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actors: what other servers fetch to show an account, and to check what it signed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    nodeinfo,
    portrait,
    redirects,
    webfinger,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import document
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import (
    ACCEPT_ACTIVITY,
    Trail,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

# Of what others call themselves, so that no question is longer than the answers.
_LONGEST_NAME = 200
MIXED = Fault(
    "mixed-by-a-cache",
    Verdict.CUT,
    "is sometimes a page and sometimes an actor, whatever is asked for",
    portrait.STAKE.loses,
    Cause(
        "a cache on the way ignores Vary: Accept",
        "Let the cache of {host} heed Vary, or pass requests for application/activity+json.",
    ),
)
KEPT_REFUSAL = Fault(
    "refusal-from-a-cache",
    Verdict.CUT,
    "is refused out of a cache, also to those who sign",
    portrait.STAKE.loses,
    Cause(
        "a shared cache keeps the answer to an unsigned request, as it ignores Vary: Signature",
        "Let the cache of {host} keep no answer of status 401.",
    ),
)
KEEPABLE = Fault(
    "refusal-may-be-kept",
    Verdict.NOTE,
    "is refused to those who do not sign in a way that caches may keep for those who do",
    "With a shared cache on the way, servers that sign are refused as well, and try again for some days.",
    Cause("a proxy drops Signature from the header Vary", "Leave Vary of {host} as the application wrote it."),
)
UNDECLARED = Fault(
    "secure-mode-undeclared",
    Verdict.SOME,
    "is shown to those only who sign, and secure mode is not declared",
    "Software that asks without a signature cannot fetch actors.",
    Cause("AUTHORIZED_FETCH or LIMITED_FEDERATION_MODE is set", "Declare secure_mode, or unset it."),
)
# https://github.com/mastodon/mastodon/blob/main/app/services/activitypub/fetch_remote_actor_service.rb
UNCONFIRMED = Fault(
    "not-confirmed",
    Verdict.CUT,
    "is not confirmed by WebFinger at its own host",
    "Mastodon asks the host of an actor that it does not know whose it is, and refuses all that the account sends until it is answered.",
    Cause(
        "the bare domain answers WebFinger by itself, and the host of the pages does not",
        "Let {host} answer /.well-known/webfinger by the application.",
    ),
)
NOT_SECURE = Fault(
    "secure-mode-off",
    Verdict.SOME,
    "is shown to everybody, and secure mode is declared",
    "Servers that are blocked read posts all the same.",
    Cause(
        "AUTHORIZED_FETCH is not set, or a cache answers without a look at the signature",
        "Set AUTHORIZED_FETCH=true, or declare no secure_mode.",
    ),
)
INSTANCE = Fault(
    "instance-actor-hidden",
    Verdict.CUT,
    "is not shown without a signature, though in secure mode, too, it must be",
    "Servers in secure mode refuse all requests of this one, as they cannot fetch the key that signs them.",
    Cause(
        "a proxy asks for a login, or the answer is not the application's",
        "curl -sv -H 'Accept: application/activity+json' '{subject}'",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Fetch the actors of the account and of the server."""
    if scene.target.account:
        try:
            url = webfinger.actor_of(scene, scene.target.account)
        except FoundError:
            yield skipped("the account's actor", "WebFinger does not lead to it")
        else:
            yield from _own(scene, url)
    if nodeinfo.software(scene) == "mastodon":
        yield from _instance(scene)
    else:
        yield skipped(
            f"https://{scene.target.host}/actor", "it is not known to be Mastodon, and only Mastodon has an actor there"
        )


def _own(scene: Scene, url: str) -> Iterator[Finding]:
    try:
        trail, content = fetched(scene, url)
    except FoundError as error:
        if not (finding := error.finding).fact.startswith("401"):
            raise
        known = _unconfirmed(scene, url, {"preferredUsername": scene.target.account})
        yield from (one for one in (_hidden(scene, url, finding), known) if one)
        return
    if beyond := redirects.unlike_lemmy(url, trail):
        yield beyond
    if wrong := list(portrait.wrong(url, trail.reply, content)):
        yield from wrong
    elif scene.target.needs_signatures:
        yield NOT_SECURE.at(url, str(trail.reply))
    elif found := [one for one in (_unconfirmed(scene, url, content), _mixed(scene, url)) if one]:
        yield from found
    else:
        yield fine(url, f"is {shown(str(content['type']))} {shown(str(content['preferredUsername']))}")


def _unconfirmed(scene: Scene, url: str, content: Mapping[str, Any]) -> Finding | None:
    """Return that the actor's own host does not know it, where accounts are at another; an attribute spares others the question."""
    host, domain = host_of(url), scene.target.domain
    # https://codeberg.org/fediverse/fep/src/branch/main/fep/2c59/fep-2c59.md
    if host == domain or str(content.get("webfinger", "")).endswith(f"@{domain}"):
        return None
    name = content["preferredUsername"][:_LONGEST_NAME]
    asked = f"https://{host}/.well-known/webfinger?resource=acct:{name}@{host}"
    try:
        _trail, said = document(scene, webfinger.STAKE, asked, accept=webfinger.ACCEPT)
        leads = webfinger.self_link(scene, asked, said)
    except FoundError as error:
        return UNCONFIRMED.at(url, f"{shown(asked, 160)} {error.finding.message}", host=host)
    return None if leads == url else UNCONFIRMED.at(url, f"{shown(asked, 160)} leads to {shown(leads)}", host=host)


def fetched(scene: Scene, url: str) -> tuple[Trail, Mapping[str, Any]]:
    """Return an actor as Mastodon fetches it. Raises what `document` raises."""
    return document(scene, portrait.STAKE, url, accept=ACCEPT_ACTIVITY)


def _hidden(scene: Scene, url: str, finding: Finding) -> Finding:
    """Judge that an actor is not shown to those who do not sign."""
    reply = scene.fetch(url, accept=ACCEPT_ACTIVITY).reply
    # Varnish and Fastly say 0 of what they did not have.
    if (age := reply.header("age")) and re.fullmatch(r"0*[1-9][0-9]*", age):
        return KEPT_REFUSAL.at(url, f"{finding.fact}, Age: {shown(age, 20)}", host=scene.target.host)
    if scene.target.needs_signatures and nodeinfo.software(scene) == "mastodon" and not _varies(reply):
        return KEEPABLE.at(url, f"Vary: {shown(reply.header('vary'), 80) or 'none'}", host=scene.target.host)
    if scene.target.needs_signatures:
        return fine(url, "is shown to those only who sign, as declared")
    if nodeinfo.software(scene) == "gotosocial":
        return fine(url, "is shown to those only who sign, as GoToSocial always does")
    return UNDECLARED.at(url, finding.fact)


def _varies(reply: Reply) -> bool:
    """Whether caches know that the answer depends on a signature."""
    return "signature" in reply.header("vary").lower() or "no-store" in reply.header("cache-control").lower()


def _instance(scene: Scene) -> Iterator[Finding]:
    url = f"https://{scene.target.host}/actor"
    try:
        trail, content = fetched(scene, url)
    except FoundError as error:
        if not (finding := error.finding).fact.startswith("401"):
            raise
        yield INSTANCE.at(url, finding.fact)
        return
    yield from list(portrait.wrong(url, trail.reply, content)) or [fine(url, "is the server's own actor")]


def _mixed(scene: Scene, url: str) -> Finding | None:
    """Ask as a browser, as a server, and as a browser again: what a cache keeps of one it may give to the next."""
    ask = scene.visitor.ask
    kinds = [_kind(ask(url, accept=accept)) for accept in ("text/html", ACCEPT_ACTIVITY, "text/html")]
    # Mastodon shows browsers a page; other software may show everybody the actor.
    was_kept = kinds[0] == "an actor" and nodeinfo.software(scene) == "mastodon"
    if kinds[1] == "an actor" and kinds[0] == kinds[2] and not was_kept:
        return None
    said = "text/html, activity+json and text/html were asked for"
    return MIXED.at(url, f"{said}, and {', '.join(kinds)} came", host=scene.target.host)


def _kind(reply: Reply) -> str:
    if reply.status == 200:
        return "an actor" if portrait.is_activity(reply.header("content-type")) else "a page"
    return shown(str(reply), 40)


_OWN = (MIXED, KEPT_REFUSAL, KEEPABLE, UNCONFIRMED, UNDECLARED, NOT_SECURE, INSTANCE, redirects.NOT_BY_LEMMY)
CHECK = Check("actor", __doc__, (*portrait.FAULTS, *_OWN, *portrait.STAKE.faults), look)
