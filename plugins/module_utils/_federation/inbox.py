# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inboxes: where other servers deliver. What they make of an answer decides whether posts come late or never.

A small, well-formed and unsigned Follow is sent, by an actor that cannot exist, and it is sent again with more text. Nothing is ever signed:
a key that Mastodon cannot fetch closes it to all newcomers for five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import actor, nodeinfo, webfinger
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.causes import (
    is_challenge,
    who_answers,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import described
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    UNKNOWN,
    Cause,
    Fault,
    Finding,
    Verdict,
    fine,
    shown,
    skipped,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check, FoundError, Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import ACTIVITY, NoAnswerError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

_NOBODY = "https://federation-check.invalid"
# In bytes, of which a long post with its pictures' descriptions has some, and Mastodon takes 1 MiB.
SIZES = (100 * 1024, 900 * 1024)
_DROPPED = "Posts to this server are dropped by Mastodon and others, at once and for ever, and nobody learns of it."
_RETRIED = (
    "Posts come late: others try again for two to three days, and after seven days of failures they send nothing more."
)
# Others have their own words for what is not signed: Misskey, Lemmy, Friendica, Fedify and GoToSocial in their sources.
_OWN_WORDS = (400, 406, 415, 422)
_UNNAMED = "refuses what is not signed in a way that some software does, and it is not known which this is"
_FAILED = "says that it failed, as some do for what is not signed"
_UNKNOWN = Cause(UNKNOWN, "curl -sv -X POST -H 'Content-Type: application/activity+json' -d '{{}}' '{subject}'")
_PROXY = Cause("a firewall or proxy refuses it, as the application says 401 to what is not signed", _UNKNOWN.next)
GONE = Fault(
    "gone",
    Verdict.LOST,
    "says that it is gone for ever",
    "Misskey stops sending for good to a server whose shared inbox says so, and Mastodon drops posts.",
    Cause(
        "a maintenance or parking page answers", "Stop whatever answers 410 first, then curl -sv -X POST '{subject}'"
    ),
)
DROPPED = Fault("dropped", Verdict.LOST, "refuses what others send in a way that is final", _DROPPED, _PROXY)
SWALLOWED = Fault(
    "swallowed",
    Verdict.LOST,
    "takes what is not signed, which Mastodon does not",
    "Others take their posts for delivered, and nobody sees them.",
    Cause("something in front of the application answers in its place", _UNKNOWN.next),
)
# https://github.com/misskey-dev/misskey/blob/develop/packages/backend/src/misc/status-error.ts
_RETRIED_BY_MOST = f"{_RETRIED} Misskey drops at once what is answered with 401 or 408."
RETRIED = Fault("retried", Verdict.CUT, "does not take what others send", _RETRIED_BY_MOST, _UNKNOWN)
REDIRECTS = Fault(
    "redirects",
    Verdict.CUT,
    "redirects, which no server follows with a post",
    _RETRIED,
    Cause(
        "the application believes that it is asked without TLS or under another name",
        "Let the gateway set X-Forwarded-Proto and keep Host.",
    ),
)
SILENT = Fault("silent", Verdict.CUT, "does not answer in HTTP", _RETRIED, _UNKNOWN)
ELSEWHERE = Fault(
    "elsewhere",
    Verdict.CUT,
    "is at an address that is not declared",
    _RETRIED,
    Cause(
        "the application has another idea of its host or scheme, as WEB_DOMAIN is another",
        "Compare WEB_DOMAIN with the declared host, or add the host to followed_hosts if it is yours.",
    ),
)
BY_TYPE = Fault(
    "refused-by-type",
    Verdict.LOST,
    "refuses activities, and takes other JSON",
    _DROPPED,
    Cause(
        "a rule of a web application firewall knows no application/activity+json",
        "Allow that type for POST, in ModSecurity's core rule set by tx.allowed_request_content_type.",
    ),
)
BY_SIZE = Fault(
    "refused-by-size",
    Verdict.LOST,
    "refuses what is long, which Mastodon takes up to 1 MiB",
    "Long posts, and those with many pictures or mentions, are dropped at once and for ever.",
    Cause(
        "the gateway or a proxy limits or buffers bodies",
        "Let bodies of 1 MiB pass to inboxes, such as with client_max_body_size 1m.",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Deliver to the shared inbox, and to the account's own."""
    shared, own = _inboxes(scene)
    if not shared and not own:
        hidden = scene.target.needs_signatures and bool(scene.target.account)
        yield skipped("the inboxes", "no actor names one", as_declared=hidden)
    for url in dict.fromkeys(one for one in (shared, own) if one):
        if is_ours(url) and scene.target.may_be_followed(host_of(url)):
            yield from _deliver(scene, url, SIZES if url == (shared or own) else ())
        else:
            yield ELSEWHERE.at(url)


def _inboxes(scene: Scene) -> tuple[str, str]:
    """Return the shared inbox and the account's, as its actor names them, else those that Mastodon has."""
    software = nodeinfo.software(scene)
    shared, own = (f"https://{scene.target.host}/inbox", "") if software == "mastodon" else ("", "")
    if scene.target.account:
        try:
            url = webfinger.actor_of(scene, scene.target.account)
            # Where they have it, though they may show the actor to nobody.
            own = f"{url}/inbox" if software in ("mastodon", "gotosocial") else ""
            content = actor.fetched(scene, url)[1]
        except (FoundError, NoAnswerError):
            return shared, own
        return at(content, "endpoints.sharedInbox", shared), at(content, "inbox", own)
    return shared, own


def _deliver(scene: Scene, url: str, sizes: tuple[int, ...]) -> Iterator[Finding]:
    try:
        small = _post(scene, url)
    except NoAnswerError as error:
        yield SILENT.at(url, shown(str(error)))
        return
    software = nodeinfo.software(scene)
    if finding := _judged(url, small, scene, software):
        yield finding
        return
    # Others take less, such as Misskey, which takes 64 KiB.
    for size in sizes if software == "mastodon" else ():
        if finding := _larger(scene, url, small, size):
            yield finding
            return
    yield fine(url, "answers what is not signed as it should", str(small))


def _judged(url: str, reply: Reply, scene: Scene, software: str) -> Finding | None:
    host, status, is_mastodon = scene.target.host, reply.status, software == "mastodon"
    cause = who_answers(reply, host)
    # Mastodon says it in JSON, and a proxy that wants a login by a page.
    if status == 401 and not (is_mastodon and _is_page(reply)):
        return None
    if 200 <= status < 300:
        return SWALLOWED.at(url, described(reply)).because(cause) if is_mastodon or _is_page(reply) else None
    if 300 <= status < 400:
        return REDIRECTS.at(url, f"{shown(str(reply), 60)} to {shown(reply.header('location'))}")
    if status == 410:
        return GONE.at(url, described(reply))
    if not is_mastodon and _is_own_word(reply):
        unsure = _FAILED if status == 500 else "" if software else _UNNAMED
        return Finding(Verdict.CANNOT_TELL, url, unsure, described(reply)) if unsure else None
    if _is_retried(status):
        return RETRIED.at(url, described(reply)).because(cause)
    if _post(scene, url, kind="application/json").status == 401:
        return BY_TYPE.at(url, described(reply))
    return DROPPED.at(url, described(reply)).because(cause)


def _is_own_word(reply: Reply) -> bool:
    """Whether software other than Mastodon may say so itself to what is not signed: a page comes from something in front of it."""
    if is_challenge(reply) or _is_page(reply):
        return False
    # PeerTube says 403 in JSON, and WriteFreely 500, as it cannot fetch the actor.
    return reply.status in _OWN_WORDS or (reply.status in (403, 500) and _is_json(reply))


def _is_page(reply: Reply) -> bool:
    """Whether there is something to see: PHP says that what is empty is HTML."""
    start = reply.body.lstrip()[:16].lower()
    return bool(start) and (reply.media_type == "text/html" or start.startswith((b"<html", b"<!doctype")))


def _is_json(reply: Reply) -> bool:
    return reply.media_type == "application/json" or reply.media_type.endswith("+json")


def _larger(scene: Scene, url: str, small: Reply, size: int) -> Finding | None:
    length = f"{size // 1024} KiB"
    try:
        reply = _post(scene, url, size)
    except NoAnswerError as error:
        return SILENT.at(url, f"{length}: {shown(str(error))}")
    if reply.status == small.status:
        return None
    fault = RETRIED if _is_retried(reply.status) else BY_SIZE
    return fault.at(url, f"{length}: {described(reply)}")


def _is_retried(status: int) -> bool:
    """Whether Mastodon tries again: https://github.com/mastodon/mastodon/blob/main/app/helpers/json_ld_helper.rb."""
    return status in (401, 408, 429) or (status >= 500 and status != 501)


def _post(scene: Scene, url: str, size: int = 0, kind: str = ACTIVITY) -> Reply:
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{_NOBODY}/follows/1",
        "type": "Follow",
        "actor": f"{_NOBODY}/actor",
        "object": url.removesuffix("/inbox"),
    }
    if size:
        activity["summary"] = "federation check " * (size // 17)
    return scene.visitor.ask(url, "POST", json.dumps(activity).encode(), content_type=kind, accept="*/*")


_ALL = (GONE, DROPPED, SWALLOWED, RETRIED, REDIRECTS, SILENT, ELSEWHERE, BY_TYPE, BY_SIZE)
CHECK = Check("inbox", __doc__, _ALL, look)
