# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebFinger: how other servers, and the follow buttons of other sites, find an account by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import nodeinfo, redirects
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import (
    ABSENT,
    GONE,
    Stake,
    answered,
    document,
)
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import ACTIVITY, Trail
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, objects

STAKE = Stake(
    "the WebFinger answer",
    Verdict.CUT,
    "Servers that do not know an account yet cannot find it, and refuse what it sends until they can.",
)
# https://github.com/mastodon/mastodon/blob/main/app/lib/webfinger.rb
_SELF_TYPES = (ACTIVITY, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"')
_ORIGIN = "https://federation-check.invalid"
_OTHER_SITE = Cause(
    "another web site answers at the bare domain",
    "Have whoever serves {host} redirect /.well-known/webfinger, host-meta and nodeinfo, with their query, to the web domain.",
)
SUBJECT = Fault(
    "wrong-subject",
    Verdict.CUT,
    "names another account than it was asked for",
    STAKE.loses,
    Cause(
        "LOCAL_DOMAIN and WEB_DOMAIN are not as declared, or swapped",
        "curl -s '{subject}', and compare subject with the declared domain.",
    ),
)
NO_SELF = Fault(
    "no-self-link",
    Verdict.CUT,
    "has no link to an actor that Mastodon takes",
    STAKE.loses,
    Cause(
        "the type of its self link is not exactly application/activity+json, or the one of JSON-LD with its profile",
        "curl -s '{subject}', and look at the link of rel self.",
    ),
)
ACTOR_ELSEWHERE = Fault(
    "actor-elsewhere",
    Verdict.CUT,
    "leads to an actor at an address that is not declared",
    STAKE.loses,
    Cause(
        "the application has another idea of its host or scheme, as WEB_DOMAIN is another",
        "Compare WEB_DOMAIN with the declared host, or add the host to followed_hosts if it is yours.",
    ),
)
MEDIA_TYPE = Fault(
    "media-type",
    Verdict.SOME,
    "is of a media type that GoToSocial does not take",
    "GoToSocial cannot find accounts; Mastodon can.",
    Cause(
        "a file is served without a type of its own, or a proxy rewrites Content-Type",
        "Serve it as application/jrd+json.",
    ),
)
NO_CORS = Fault(
    "no-cors",
    Verdict.SOME,
    "may not be read by scripts of other sites",
    "The follow and share buttons of other sites do not find this server.",
    Cause(
        "the redirect or the answer of {host} is without the header",
        "Add Access-Control-Allow-Origin: * to what {host} answers at /.well-known/webfinger.",
    ),
)
HOST_META_ONLY = Fault(
    "host-meta-only",
    Verdict.SOME,
    "is not there, though host-meta leads to it",
    "Mastodon and GoToSocial find the account by way of host-meta; most others do not.",
    Cause("only host-meta is redirected at {host}", "Redirect /.well-known/webfinger as well, with its query."),
)


NO_ACCOUNT = Fault(
    "no-such-account",
    Verdict.NOTE,
    "is of an account that this server does not have, or has deleted",
    "Nothing of the server: it finds its own actor by the same way. Others delete their copies of an account that says that it is gone.",
    Cause("the declared account is misspelt, or its owner has left", "Declare an account that is there."),
)


def address_of(scene: Scene, resource: str) -> str:
    """Return where a resource is asked for."""
    return f"https://{scene.target.domain}/.well-known/webfinger?resource={resource}"


def actor_of(scene: Scene, name: str) -> str:
    """Return the address of an account's actor. Raises what `document` raises."""
    url = address_of(scene, f"acct:{name}@{scene.target.domain}")
    return self_link(scene, url, document(scene, STAKE, url, accept=ACCEPT)[1])


ACCEPT = "application/jrd+json, application/json"


def look(scene: Scene) -> Iterator[Finding]:
    """Look up the account, the server itself, and the domain as follow buttons do."""
    domain, account = scene.target.domain, scene.target.account
    if account:
        yield from _lookup(scene, f"acct:{account}@{domain}", f"acct:{account}@{domain}")
    else:
        yield skipped(address_of(scene, f"acct:…@{domain}"), "no account is declared")
    if nodeinfo.software(scene) != "mastodon":
        yield skipped(
            address_of(scene, f"acct:{domain}@{domain}"),
            "it is not known to be Mastodon, and only Mastodon answers for itself",
        )
        return
    yield from _lookup(scene, f"acct:{domain}@{domain}", f"@{domain}")
    yield from _dialog(scene, f"https://{domain}")


def _lookup(scene: Scene, resource: str, subject: str) -> Iterator[Finding]:
    url = address_of(scene, resource)
    try:
        trail, content = document(scene, STAKE, url, accept=ACCEPT)
    except FoundError as error:
        yield _explained(scene, url, error.finding, accept=ACCEPT)
        return
    named = content.get("subject")
    if not isinstance(named, str) or not named.lower().endswith(subject.lower()):
        yield SUBJECT.at(url, f"{shown(str(named), 80)} and not {subject}")
        return
    actor = self_link(scene, url, content)
    media_type = trail.reply.media_type
    if media_type not in ("application/jrd+json", "application/json"):
        yield MEDIA_TYPE.at(url, shown(media_type, 60) or "none")
    if finding := redirects.unlike_lemmy(url, trail):
        yield finding
    yield fine(url, f"leads to {shown(actor)}")


def self_link(scene: Scene, url: str, content: Mapping[str, Any]) -> str:
    """Return the address of the actor that an answer leads to, as Mastodon reads it. Raises FoundError."""
    try:
        links = [one for one in objects(content, "links") if one.get("rel") == "self"]
    except WrongShapeError:
        links = []
    for link in links:
        if link.get("type") in _SELF_TYPES and isinstance(actor := link.get("href"), str):
            if not (is_ours(actor) and scene.target.may_be_followed(host_of(actor))):
                raise FoundError(ACTOR_ELSEWHERE.at(url, shown(actor)))
            return actor
    found = ", ".join(shown(f"type {link.get('type')}", 80) for link in links)
    raise FoundError(NO_SELF.at(url, found or "no link of rel self"))


def _explained(scene: Scene, url: str, finding: Finding, **headers: str) -> Finding:
    """Tell apart who it is that has no answer."""
    if finding.fault in (ABSENT.name, GONE.name) and _knows_itself(scene, url):
        return NO_ACCOUNT.at(url, finding.fact)
    if finding.fault != ABSENT.name:
        return finding
    host = scene.target.domain
    if _leads_by_host_meta(scene, url):
        return HOST_META_ONLY.at(url, finding.fact, host=host)
    last = scene.fetch(url, **headers).last
    if scene.target.is_split and host_of(last.url) == host and last.reply.media_type == "text/html":
        return finding.because(_OTHER_SITE.of(host))
    return finding


def _knows_itself(scene: Scene, url: str) -> bool:
    """Whether it is only this account that the server does not know, or has deleted: by the same way it finds its own actor."""
    domain = scene.target.domain
    if not scene.target.account or url != address_of(scene, f"acct:{scene.target.account}@{domain}"):
        return False
    try:
        document(scene, STAKE, address_of(scene, f"acct:{domain}@{domain}"), accept=ACCEPT)
    except FoundError:
        return False
    return nodeinfo.software(scene) == "mastodon"


def _leads_by_host_meta(scene: Scene, url: str) -> bool:
    """Whether who falls back to host-meta finds the account all the same."""
    domain, host = scene.target.domain, scene.target.host
    template = f"https://{host}/.well-known/webfinger?resource={{uri}}"
    try:
        meta = answered(scene, STAKE, f"https://{domain}/.well-known/host-meta")
        document(scene, STAKE, url.replace(f"https://{domain}/", f"https://{host}/", 1), accept=ACCEPT)
    except FoundError:
        return False
    return host != domain and template.encode() in meta.reply.body


def _dialog(scene: Scene, resource: str) -> Iterator[Finding]:
    url = address_of(scene, resource)
    try:
        trail, content = document(scene, STAKE, url, origin=_ORIGIN, accept="application/json")
    except FoundError as error:
        yield _explained(scene, url, error.finding, origin=_ORIGIN, accept="application/json")
        return
    self_link(scene, url, content)
    if hidden := _hidden(trail):
        yield NO_CORS.at(url, f"{hidden} has no Access-Control-Allow-Origin", host=host_of(hidden))
    else:
        yield fine(url, "can be read by follow buttons of other sites")


def _hidden(trail: Trail) -> str:
    """Return the first answer that a browser keeps from a script: each redirect needs the header, too."""
    for hop in trail.hops:
        if hop.reply.header("access-control-allow-origin") not in ("*", _ORIGIN):
            return shown(hop.url)
    return ""


CHECK = Check(
    "webfinger",
    __doc__,
    (
        SUBJECT,
        NO_SELF,
        ACTOR_ELSEWHERE,
        MEDIA_TYPE,
        NO_CORS,
        HOST_META_ONLY,
        NO_ACCOUNT,
        redirects.NOT_BY_LEMMY,
        *STAKE.faults,
    ),
    look,
)
