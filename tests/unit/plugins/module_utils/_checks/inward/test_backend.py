# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: Services and pods."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import addresses

from .behind import ADDRESS, GATEWAY, HOST, OLD, Behind, said
from .findings import (
    NO_BACKEND,
    NOBODY,
    OLD_CLUSTER,
    STREAMING,
    cause,
    condition,
    proved,
    scaled_to_nothing,
    without_endpoints,
)


def test_a_service_that_is_not_there_is_named_with_the_route(behind: Behind) -> None:
    behind.change(
        "HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1]["backendRefs"][0].update(name="renamed")
    )
    message = 'Cannot load HTTPBackendRef mastodon/renamed: getting service: service "renamed" not found'
    unresolved = said("ResolvedRefs", "False", "BackendNotFound", message)
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=unresolved))
    why = "HTTPRoute mastodon/web: BackendNotFound; Service mastodon/renamed, which HTTPRoute mastodon/web sends to, does not exist"
    proved(behind, NO_BACKEND, why, "kubectl get service -n mastodon")


def test_a_service_without_the_port_is_named(behind: Behind) -> None:
    behind.change("Service mastodon/web", lambda item: item["spec"]["ports"][0].update(port=80))
    proved(behind, NO_BACKEND, "Service mastodon/web has no port 3000", "kubectl describe service -n mastodon web")


def test_a_selector_that_no_pod_has_is_named(behind: Behind) -> None:
    without_endpoints(behind)
    behind.change("Service mastodon/web", lambda item: item["spec"].update(selector={"app": "nothing"}))
    proved(behind, NOBODY, "Service mastodon/web selects pods by app=nothing, and there are none")


def test_a_service_of_an_outer_name_has_no_endpoints_and_is_no_cause(behind: Behind) -> None:
    scaled_to_nothing(behind)
    outer = {"type": "ExternalName", "externalName": "web.example.net", "selector": None}
    behind.change("Service mastodon/web", lambda item: item["spec"].update(outer))
    assert cause(behind, NOBODY) == NOBODY.cause


def test_one_of_two_services_that_has_no_pods_is_a_likely_cause(behind: Behind) -> None:
    scaled_to_nothing(behind)
    two = [{"name": "web", "port": 3000, "weight": 1}, {"name": "web-streaming", "port": 4000, "weight": 1}]
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(backendRefs=two))
    assert not cause(behind, NOBODY).proved
    two[1]["weight"] = 0
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(backendRefs=two))
    assert cause(behind, NOBODY).proved


def test_a_deployment_that_is_scaled_to_nothing_is_named(behind: Behind) -> None:
    scaled_to_nothing(behind)
    why = "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0"
    proved(behind, NOBODY, why, "kubectl describe deployment -n mastodon web")


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}, "ImagePullBackOff: no such image"),
        ({"running": {}}, "runs and is not ready"),
    ],
)
def test_a_pod_that_is_not_ready_is_named_with_what_it_is_at(behind: Behind, state: Any, how: str) -> None:
    endpoint = {"addresses": ["10.1.0.1"], "conditions": {"ready": False}}
    behind.change("EndpointSlice mastodon/web-hvg9b", lambda item: item.update(endpoints=[endpoint]))
    status = {"phase": "Running", "containerStatuses": [{"name": "web", "ready": False, "state": state}]}
    behind.change("Pod mastodon/web-1", lambda item: item.update(status=status))
    why = f"no pod of Service mastodon/web is ready; Pod mastodon/web-1: container web: {how}"
    proved(behind, NOBODY, why, "kubectl describe pod -n mastodon web-1")


def test_only_what_the_longest_path_leads_to_is_looked_at(behind: Behind) -> None:
    without_endpoints(behind, "web-streaming")
    behind.remove("Pod mastodon/web-streaming-1")
    behind.change("Deployment mastodon/web-streaming", lambda item: item["spec"].update(replicas=0))
    assert cause(behind, NOBODY) == NOBODY.cause
    proved(
        behind,
        STREAMING,
        "Service mastodon/web-streaming has no pods; Deployment mastodon/web-streaming is scaled to 0",
    )


SIX = "2001:db8::9"


@pytest.mark.parametrize("families", [["IPv4"], ["IPv4", "IPv6"], []])
def test_a_gateway_that_says_an_address_of_a_family_that_its_service_has_not_is_named(
    behind: Behind, families: list[str]
) -> None:
    ingress = {"loadBalancer": {"ingress": [{"ip": ADDRESS}, {"ip": SIX}]}}
    behind.change("Gateway edge/shared", lambda item: item["status"]["addresses"].append({"value": SIX}))
    behind.change("Service traefik/traefik", lambda item: item.update(status=ingress))
    behind.change("Service traefik/traefik", lambda item: item["spec"].update(ipFamilies=families))
    finding = addresses.DEAD_BESIDE.at(HOST, SIX, address=SIX).of("addresses")
    behind.leads = (ADDRESS, SIX)
    if families == ["IPv4"]:
        why = f"{GATEWAY} says {SIX}, and Service traefik/traefik has IPv4 only"
        proved(behind, finding, why, "kubectl describe service -n traefik traefik")
    else:
        assert cause(behind, finding) == finding.cause


def test_a_gateway_whose_controller_does_not_run_takes_no_connections(behind: Behind) -> None:
    behind.change("EndpointSlice traefik/traefik-hvg9b", lambda item: item.update(endpoints=None))
    behind.remove("Pod traefik/traefik-1")
    behind.change("Deployment traefik/traefik", lambda item: item["spec"].update(replicas=0))
    why = "Service traefik/traefik has no pods; Deployment traefik/traefik is scaled to 0"
    at_own = addresses.DEAD.at(HOST, f"{ADDRESS}, timed out", address=ADDRESS).of("addresses")
    behind.leads = behind.dead = (ADDRESS, OLD)
    behind.texts = OLD_CLUSTER
    proved(behind, at_own, why)
