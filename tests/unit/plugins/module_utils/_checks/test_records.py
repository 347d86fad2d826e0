# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names are asked for, and which of them lead elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import asked_for, drifts, targets

ACCEPTED = [{"type": kind, "status": "True", "observedGeneration": 1} for kind in ("Accepted", "ResolvedRefs")]
REFUSED = [{"type": "Accepted", "status": "False", "observedGeneration": 1}]
PARENT = {"name": "shared", "namespace": "edge"}
WORLD = {
    "right.test": {"192.0.2.1"},
    "wrong.test": {"192.0.2.9"},
    "more.test": {"192.0.2.1", "192.0.2.9"},
    "gateway.test": {"192.0.2.1"},
    "192.0.2.1": {"192.0.2.1"},
}


def route(host: str, parent: Any = None, conditions: Any = None, namespace: str = "mastodon") -> Any:
    parent = parent or PARENT
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": host, "namespace": namespace, "generation": 1},
        "spec": {"parentRefs": [parent], "hostnames": [host]},
        "status": {"parents": [{"parentRef": parent, "conditions": conditions or ACCEPTED}]},
    }


def test_the_hosts_of_accepted_routes_on_the_gateway_are_asked_for() -> None:
    routes = [
        route("one.test"),
        route("same-namespace.test", {"name": "shared"}, namespace="edge"),
        route("refused.test", conditions=REFUSED),
        route("other-gateway.test", {"name": "other", "namespace": "edge"}),
        route("other-namespace.test", {"name": "shared"}),
    ]
    assert asked_for(routes, "edge", "shared") == {"one.test", "same-namespace.test"}


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        (None, ()),
        ({}, ()),
        ({"status": {"addresses": []}}, ()),
        ({"status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}}, ("192.0.2.1",)),
    ],
)
def test_a_gateways_addresses_are_the_targets(gateway: Any, expected: tuple[str, ...]) -> None:
    assert targets(gateway) == expected


@pytest.mark.parametrize("target", ["192.0.2.1", "gateway.test"])
def test_what_leads_elsewhere_is_reported(target: str) -> None:
    names = ["right.test", "wrong.test", "more.test", "absent.test"]
    found = drifts(names, [target], lambda name: WORLD.get(name, set()))
    assert [str(one) for one in found] == [
        "DNS record wrong.test: 192.0.2.9 → 192.0.2.1",
        "DNS record more.test: 192.0.2.1 192.0.2.9 → 192.0.2.1",
        "DNS record absent.test: absent → 192.0.2.1",
    ]
