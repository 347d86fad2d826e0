# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest warning about an object, which often says more than its status."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import EVENT
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

# The kubelet repeats these after the message that says why.
_VAGUE = re.compile(r"Error: |Back-off ")
_BURST = timedelta(minutes=1)
_OWN_EVENTS_TELL = ("", "apps", "batch")
_NEVER = datetime.fromtimestamp(0, UTC)


def newest_warning(api: Api, subject: ObjectRef, is_over: Callable[[Mapping[str, Any]], bool]) -> str:
    """Return `Kind name: message` about an object, or about what was made for it and begins with its name.

    Empty if there is none; `is_over` is asked of each whether it is about what is no more.
    """
    try:
        # Events of objects without a namespace are kept in `default`.
        listing = api.read(Selection(EVENT, subject.namespace or "default"))
    except MastodonError:
        # Events only embellish an error that is reported anyway.
        return ""
    about = [event for event in listing.objects if _is_about(event, subject) and not is_over(event)]
    if not about:
        return ""
    newest = max(time_of(event) for event in about)
    recent = [event for event in about if time_of(event) >= newest - _BURST]
    telling = max(recent, key=lambda event: (not _VAGUE.match(event.get("message", "")), time_of(event)))
    involved = telling["involvedObject"]
    return f"{involved['kind']} {involved['name']}: {telling.get('message') or telling.get('reason')}"


def _is_about(event: Mapping[str, Any], subject: ObjectRef) -> bool:
    involved = event.get("involvedObject") or {}
    name = involved.get("name", "")
    if name == subject.name and involved.get("kind") == subject.kind:
        # Custom kinds say the same in their conditions, and there it is up to date.
        return subject.group in _OWN_EVENTS_TELL
    return bool(name.startswith(f"{subject.name}-"))


def time_of(event: Mapping[str, Any]) -> datetime:
    """Return when an event happened last."""
    series = event.get("series") or {}
    time = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
    )
    return datetime.fromisoformat(time) if time else _NEVER
