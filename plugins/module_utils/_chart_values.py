# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm values that the official chart takes and that do not do what they say, refused by name.

Each was seen with `helm template` of chart 1.0.2 (https://github.com/mastodon/helm-charts). This module util is PRIVATE to
the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Trap:
    """A value by its path, when it is a trap, what happens then, and what to do instead."""

    path: str
    why: str
    remedy: str
    bites: Callable[[Any, Values], bool] = lambda value, _values: bool(value)


_DEAD = "no template of the chart reads it"
_OURS = "Remove it; this collection lays that down itself"

TRAPS = (
    Trap("volumeMounts", "the chart writes invalid Deployments with it", "Mount nothing into Mastodon's pods."),
    Trap(
        "elasticsearch.caSecret", "the chart does not mount it", "Use a certificate of a public authority for search."
    ),
    Trap(
        "mastodon.createAdmin.enabled",
        "its owner is never approved and nobody sees the password",
        f"{_OURS}: set mastodon_admin_username.",
    ),
    Trap(
        "mastodon.extraEnvVars.DB_SSLMODE",
        "streaming takes it for full verification and crashes with a private authority",
        "Set it below mastodon.web and mastodon.sidekiq, and mastodon.streaming.extraCerts.",
        lambda value, _values: str(value) in ("require", "verify-ca", "verify-full"),
    ),
    Trap(
        "postgresql.readReplica.hostname",
        "the chart gives it no login without a Secret of its own",
        "Set postgresql.readReplica.existingSecret, too.",
        lambda value, values: bool(value) and not at(values, "postgresql.readReplica.existingSecret"),
    ),
    Trap("mastodon.web.pdb", _DEAD, f"{_OURS} from two replicas on."),
    Trap("mastodon.streaming.pdb", _DEAD, f"{_OURS} from two replicas on."),
    Trap("mastodon.forceLocale", _DEAD, "Set FORCE_DEFAULT_LOCALE in mastodon.extraEnvVars."),
    Trap("service.port", _DEAD, "Set mastodon.web.port."),
    Trap(
        "mastodon.otel.exporterUri",
        "the chart reads mastodon.otel.endpointUri",
        "Set that one, too.",
        lambda value, values: bool(value) and not at(values, "mastodon.otel.endpointUri"),
    ),
    Trap(
        "mastodon.hooks.s3Upload.rclone.env",
        "the chart needs a list of name and value, and writes an invalid Job from a mapping",
        "Write it as a list.",
        lambda value, _values: isinstance(value, Mapping) and bool(value),
    ),
    Trap("image.tag", "no upgrade would be checked", "Set mastodon_image_tag."),
    Trap("mastodon.web.image.tag", "migrations would run in another version", "Set mastodon_image_tag."),
    Trap("mastodon.streaming.image.tag", "it would run beside another version", "Set mastodon_image_tag."),
    Trap("httproute.enabled", "there would be two routes for one host", f"{_OURS}."),
    Trap("httproute.streamingHostnames", "the chart makes that route even when routes are off", f"{_OURS}."),
    Trap("mastodon.localDomain", "the launch would not be checked", "Set mastodon_local_domain."),
    Trap("mastodon.webDomain", "the launch would not be checked", "Set mastodon_web_domain."),
)


def at(values: Values, path: str) -> Any:
    """Return the value at a path such as `mastodon.web`, or None when there is none."""
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def problems(values: Values) -> list[str]:
    """Return one sentence for each trap that these values step into."""
    return [
        str(MastodonError("Variable mastodon_values", f"{trap.path} does not do what it says", trap.why, trap.remedy))
        for trap in TRAPS
        if trap.bites(at(values, trap.path), values)
    ]
