# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an actor's document must be to be taken for one by others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.documents import Stake
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
    shown,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import ACTIVITY
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply

STAKE = Stake(
    "the actor",
    Verdict.CUT,
    "Servers cannot check what is signed with its key: posts are refused, and tried again for some days.",
)
_CONTEXT = "https://www.w3.org/ns/activitystreams"
_PROFILE = f'application/ld+json; profile="{_CONTEXT}"'
# Lemmy compares the text: https://github.com/LemmyNet/activitypub-federation-rust/blob/main/src/fetch/mod.rs
_FOR_ALL = (ACTIVITY, f"{ACTIVITY}; charset=utf-8", _PROFILE)
# https://github.com/mastodon/mastodon/blob/main/app/services/activitypub/fetch_remote_actor_service.rb
_KINDS = ("Application", "Group", "Organization", "Person", "Service")
OTHER_ID = Fault(
    "other-id",
    Verdict.CUT,
    "calls itself by another address than it is found at",
    STAKE.loses,
    Cause(
        "the application has another idea of its host or scheme, as proxy headers are lost or WEB_DOMAIN is another",
        "curl -s -H 'Accept: application/activity+json' '{subject}'",
    ),
)
MEDIA_TYPE = Fault(
    "media-type",
    Verdict.CUT,
    "is of a media type that Mastodon takes for no actor",
    STAKE.loses,
    Cause("a proxy or a file server rewrites Content-Type", "Serve it as application/activity+json."),
)
PARAMETERS = Fault(
    "media-type-parameters",
    Verdict.SOME,
    "is of a media type that Lemmy does not take",
    "Lemmy, which compares the whole text of the type, cannot fetch actors.",
    Cause("a proxy rewrites Content-Type, such as its charset", "Leave Content-Type as the application wrote it."),
)
INCOMPLETE = Fault(
    "incomplete",
    Verdict.CUT,
    "lacks what every actor has",
    STAKE.loses,
    Cause(
        "something else than the instance writes this document",
        "curl -s -H 'Accept: application/activity+json' '{subject}'",
    ),
)


def wrong(url: str, reply: Reply, content: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield why others do not take a document for an actor."""
    said = reply.header("content-type")
    if not is_activity(said):
        yield MEDIA_TYPE.at(url, shown(said, 80) or "none")
    elif said.lower() not in _FOR_ALL:
        yield PARAMETERS.at(url, shown(said, 80))
    if content.get("id") != url:
        yield OTHER_ID.at(url, shown(str(content.get("id"))))
    texts = ("inbox", "preferredUsername")
    missing = [key for key in texts if not isinstance(content.get(key), str)]
    missing += [] if any(kind in _KINDS for kind in _all(content.get("type"))) else ["type"]
    missing += [] if _CONTEXT in _all(content.get("@context")) else ["@context"]
    missing += [] if isinstance(first(content.get("publicKey")), Mapping) else ["publicKey"]
    if missing:
        yield INCOMPLETE.at(url, ", ".join(missing))


def _all(value: object) -> Sequence[object]:
    """Return what stands alone, or in a list, as JSON-LD lets it."""
    return value if isinstance(value, list) else [value]


def first(value: object) -> object:
    """Return what stands alone, or first in a list."""
    return next(iter(_all(value)), None)


def is_activity(said: str) -> bool:
    """Whether Mastodon takes it for an activity: https://github.com/mastodon/mastodon/blob/main/app/helpers/json_ld_helper.rb."""
    kind, *parameters = (part.strip() for part in said.split(";"))
    if kind.lower() == ACTIVITY:
        return True
    profiles = [one[9:-1].split() for one in parameters if one.startswith('profile="')]
    return kind.lower() == "application/ld+json" and any(_CONTEXT in one for one in profiles)


FAULTS = (OTHER_ID, MEDIA_TYPE, PARAMETERS, INCOMPLETE)
