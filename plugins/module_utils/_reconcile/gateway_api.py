# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Gateways and routes are Current: https://gateway-api.sigs.k8s.io/reference/spec/."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at, maps_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status import (
    CURRENT,
    Item,
    Status,
    conditions,
    conditions_of,
    failed,
    progressing,
    require,
)

# https://github.com/traefik/traefik-helm-chart/blob/master/traefik/values.yaml
_PORTS = (
    "Set gateway_http_port and gateway_https_port to ports that its controller listens at: those of its entry points with Traefik, "
    "which are 8000 and 8443 with Traefik's own chart."
)


def gateway(item: Item) -> Status:
    """Return whether a Gateway serves anything, at an address."""
    status = require(conditions_of(item), "Accepted", "Programmed")
    if status.verdict != "Current":
        return _portless(item) or status
    # Listeners may be others', who wait for certificates of their own; of ours the routes to them show it.
    return CURRENT if at(item, "status.addresses") else progressing("NoAddress", "it has no address yet")


def _portless(item: Item) -> Status | None:
    """Return why a Gateway of which no listener serves never will: others than Traefik open whatever port they are asked for."""
    generation = at(item, "metadata.generation", 0)
    for listener in maps_at(item, "status.listeners"):
        accepted = conditions(listener, generation).get("Accepted")
        if accepted and accepted.reason == "PortUnavailable":
            return failed(accepted.reason, f"listener {at(listener, 'name', '')}: {accepted.text()}", _PORTS)
    return None


def route(item: Item) -> Status:
    """Return whether every Gateway of a route took it."""
    parents = maps_at(item, "status.parents")
    if len(parents) < len(at(item, "spec.parentRefs", [])):
        return progressing("NoParent", "not all of its Gateways have answered yet; do they exist?")
    for parent in parents:
        status = require(conditions(parent, at(item, "metadata.generation", 0)), "Accepted", "ResolvedRefs")
        if status.verdict != "Current":
            return progressing(status.reason, f"Gateway {at(parent, 'parentRef.name')}: {status.message}")
    return CURRENT


def gateway_class(item: Item) -> Status:
    """Return whether somebody serves a class."""
    return require(conditions_of(item), "Accepted")
