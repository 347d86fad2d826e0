# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether backups lie where what they are of may be lost with them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import WarnedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# A name without a dot, or one of Kubernetes' own.
_INSIDE = re.compile(r"[^.:]+|.+\.(svc|cluster\.local)")


def is_inside(endpoint: str) -> bool:
    """Return whether the address of a server is one of this cluster's."""
    return bool(_INSIDE.fullmatch(urlsplit(endpoint).hostname or ""))


def survive(wanted: Mapping[str, Any]) -> str:
    """Report where the backups lie. Raises WarnedError when that is in the cluster, or where media are."""
    subject, server = f"Backups of {wanted['what']}", urlsplit(wanted["endpoint"])
    remedy = f"Set {wanted['setting']} to a server elsewhere."
    is_served = server.hostname in wanted["served_hosts"]
    if is_served or is_inside(wanted["endpoint"]):
        whose = "is served by its Gateway" if is_served else "is a name of this cluster"
        why = f"who loses that loses both, and {server.hostname} {whose}"
        raise WarnedError(MastodonError(subject, "are in the cluster that they must survive", why, remedy))
    if server.netloc == urlsplit(wanted["media_endpoint"]).netloc:
        why = f"{server.netloc} has both, so that they can be lost, or deleted by one leaked login, together"
        raise WarnedError(MastodonError(subject, "are on the server that holds media", why, remedy))
    return f"{subject}: go to {server.netloc}, which is neither in the cluster nor where media are"
