# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who it was that answered, when it was not the instance: told by what such programs say of themselves."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Cause
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

_CHALLENGES = (b"__cf_chl", b"cf-chl-", b"Just a moment", b"Attention Required! | Cloudflare")
# https://github.com/TecharoHQ/anubis and its like.
_BOT_CHECKS = (b"not a bot", b"anubis", b"proof-of-work", b"hcaptcha", b"g-recaptcha")
# What Mastodon says then.
_SKIPPED = b"skipped because of recent connection failure"

CHALLENGE = Cause(
    "a content delivery network shows a challenge for browsers, which no server can solve",
    "Exempt {host} from bot and challenge rules for /.well-known/*, /nodeinfo/*, /actor, /inbox, /users/* and /ap/*.",
)
BOT_CHECK = Cause(
    "a program that keeps bots off answers in the instance's place",
    "Let it pass requests for application/activity+json, for /.well-known/* and for inboxes.",
)
HOST_REFUSED = Cause(
    "Mastodon was asked under a name that is not its own, as a proxy rewrites the header Host",
    "Let the proxy keep Host, or name the host in ALTERNATE_DOMAINS.",
)
NO_ROUTE = Cause(
    "the gateway has no route for this host and path: no listener takes the host, or it takes no routes of that namespace",
    "kubectl get httproute -A -o wide, and read the conditions of the route for {host}.",
)
NO_BACKEND = Cause(
    "the gateway's route leads to a Service that is not there, has no pods, or may not be used from its namespace",
    "kubectl describe httproute -A, and look for ResolvedRefs of the route for {host}.",
)
NOBODY_READY = Cause(
    "no pod behind the gateway is ready, a NetworkPolicy keeps it out, or the pod was too slow",
    "kubectl get endpointslices -A, and look for the Service behind {host}.",
)

STRICT = Cause(
    "the server wants another Accept or User-Agent than Mastodon sends",
    "Read its answer, and let it take application/activity+json and any User-Agent.",
)

# https://github.com/mastodon/mastodon/blob/main/app/controllers/concerns/signature_verification.rb
FUSE = Cause(
    "Mastodon could not fetch a key that it did not know, and for five minutes fetches none for whoever comes from that address; "
    "that is everybody where it sees its proxy's address",
    "Name the gateway's pods in mastodon_trusted_proxies, and look once more after five minutes.",
)

# All there are, for the documentation.
CAUSES = (CHALLENGE, BOT_CHECK, HOST_REFUSED, NO_ROUTE, NO_BACKEND, NOBODY_READY, STRICT, FUSE)


def is_challenge(reply: Reply) -> bool:
    """Whether something answers that wants to see a browser."""
    return _who(reply) in (CHALLENGE, BOT_CHECK)


def who_answers(reply: Reply, host: str) -> Cause | None:
    """Return what is known of the program that sent an answer in place of the instance."""
    cause = _who(reply)
    return cause.of(host) if cause else None


def _who(reply: Reply) -> Cause | None:
    start = reply.body[:8192]
    is_page = b"<html" in start.lower() or reply.media_type == "text/html"
    if reply.header("cf-mitigated") or any(word in start for word in _CHALLENGES):
        return CHALLENGE
    if is_page and any(word in start.lower() for word in _BOT_CHECKS):
        return BOT_CHECK
    if reply.status == 403 and reply.header("server") == "Mastodon" and not start.strip():
        return HOST_REFUSED
    # https://github.com/traefik/traefik/blob/master/pkg/server/router/router.go, and Envoy's empty one
    if reply.status == 404 and (start.strip() == b"404 page not found" or (not start and _is_envoy(reply))):
        return NO_ROUTE
    if reply.status == 500 and not start.strip():
        return NO_BACKEND
    if reply.status in (406, 418):
        return STRICT
    if reply.status == 503 and _SKIPPED in start:
        return FUSE
    return NOBODY_READY if reply.status in (502, 503, 504) else None


def _is_envoy(reply: Reply) -> bool:
    return "envoy" in reply.header("server").lower()
