# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media: whether pictures can be seen by everybody, and their list by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import actor, instance, webfinger
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import described
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
    NoAnswerError,
    NotReachedError,
    Trail,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

HIDDEN = Fault(
    "hidden",
    Verdict.SOME,
    "cannot be fetched by everybody",
    "Pictures are missing here and at others.",
    Cause(
        "neither a policy nor ACLs of the bucket let everybody read, or the host of media leads to another bucket",
        "curl -sI '{subject}'",
    ),
)
NO_CORS = Fault(
    "no-cors",
    Verdict.SOME,
    "may not be read by the web interface's scripts",
    "Audio is not shown with its curve, and pictures cannot be cropped or edited.",
    Cause(
        "the bucket has no CORS rule for the web domain",
        "Add Access-Control-Allow-Origin for https://{host} to the bucket, for GET and HEAD.",
    ),
)
LISTED = Fault(
    "listed",
    Verdict.SOME,
    "shows everybody the list of all objects",
    "Whoever wants to can fetch all uploads, also those of private posts.",
    Cause("the bucket's policy allows s3:ListBucket to everybody", "Allow s3:GetObject only."),
)
BLOCKED = Fault(
    "blocked-by-policy",
    Verdict.SOME,
    "is at a host that the web interface's policy does not name",
    "Browsers show no pictures to those who use this server's own pages.",
    Cause(
        "media redirect to, or are at, another host than S3_ALIAS_HOST",
        "Set S3_ALIAS_HOST to {to}, or let {host} serve media without a redirect.",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Fetch an object as others do, and the list as nobody should."""
    host = scene.target.media
    if not host:
        yield skipped("Media", "no host of media is declared")
        return
    if host not in scene.visitor.doors:
        raise NotReachedError(host)
    yield _list(scene, host)
    if url := _object(scene, host):
        yield from _fetched(scene, url)
    else:
        yield skipped(f"https://{host}/", "no object is declared, and neither account nor server has a picture there")


def _list(scene: Scene, host: str) -> Finding:
    url = f"https://{host}/"
    reply = scene.fetch(url).reply
    if reply.status == 200 and b"<ListBucketResult" in reply.body:
        return LISTED.at(url, described(reply))
    return fine(url, "shows no list of objects", shown(str(reply), 60))


def _object(scene: Scene, host: str) -> str:
    """Return the address of a real object: as declared, else a picture of the account, else the server's."""
    if scene.target.media_path:
        return f"https://{host}/{quote(scene.target.media_path.lstrip('/'))}"
    found = [instance.said(scene, "thumbnail.url")]
    if scene.target.account:
        try:
            content = actor.fetched(scene, webfinger.actor_of(scene, scene.target.account))[1]
        except (FoundError, NoAnswerError, NotReachedError):
            pass
        else:
            found = [at(content, "icon.url", ""), at(content, "image.url", ""), *found]
    return next((url for url in found if host_of(url) == host), "")


def _fetched(scene: Scene, url: str) -> Iterator[Finding]:
    trail = scene.fetch(url, origin=f"https://{scene.target.host}")
    ends_at = host_of(trail.last.to or trail.last.url)
    if not _is_allowed(scene, ends_at):
        yield BLOCKED.at(
            url,
            f"{shown(ends_at, 80)} is not in img-src of https://{scene.target.host}/",
            host=scene.target.media,
            to=ends_at,
        )
    elif trail.reply.status != 200:
        yield HIDDEN.at(url, described(trail.reply))
    elif not _is_readable(scene, trail):
        yield NO_CORS.at(url, "no Access-Control-Allow-Origin", host=scene.target.host)
    else:
        yield fine(url, "can be fetched by everybody, and read by the web interface")


def _is_readable(scene: Scene, trail: Trail) -> bool:
    allowed = ("*", f"https://{scene.target.host}")
    return all(hop.reply.header("access-control-allow-origin") in allowed for hop in trail.hops)


def _is_allowed(scene: Scene, host: str) -> bool:
    """Whether the policy of the web interface lets pictures come from a host; without a policy they come from everywhere."""
    try:
        policy = scene.fetch(f"https://{scene.target.host}/", accept="text/html").reply.header(
            "content-security-policy"
        )
    except NoAnswerError:
        return True
    rules = {
        name: sources.split() for name, _unused, sources in (part.strip().partition(" ") for part in policy.split(";"))
    }
    sources = rules.get("img-src", rules.get("default-src"))
    own = "'self'" in sources and host == scene.target.host if sources else False
    return sources is None or own or any(_covers(source, host) for source in sources)


def _covers(source: str, host: str) -> bool:
    """Whether a source of a policy is this host: https://www.w3.org/TR/CSP3/#match-hosts."""
    if source in ("*", "https:"):
        return True
    named = source.removeprefix("https://").partition("/")[0].partition(":")[0].lower()
    return host.endswith(named[1:]) and len(host) >= len(named) if named.startswith("*.") else named == host


CHECK = Check("media", __doc__, (HIDDEN, NO_CORS, LISTED, BLOCKED), look)
