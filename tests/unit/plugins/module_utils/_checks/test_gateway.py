# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways of others, used as they are, and one that is to be made."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.gateway import examine
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Selection
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

WANTED = {
    "name": "shared",
    "namespace": "edge",
    "made": False,
    "gateway_class": "traefik",
    "issuer": "",
    "hostnames": ["social.example.org"],
    "listener": "",
    "route_namespaces": ["mastodon"],
}
ALL = {"namespaces": {"from": "All"}}
READY = {
    "addresses": [{"value": "192.0.2.1"}],
    "conditions": [{"type": name, "status": "True", "observedGeneration": 1} for name in ("Accepted", "Programmed")],
}


def listener(name: str = "social.example.org", **fields: Any) -> dict[str, Any]:
    return {"name": name, "port": 443, "protocol": "HTTPS", "allowedRoutes": ALL, **fields}


def gateway(*listeners: dict[str, Any], manager: str = "kubectl", **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": "shared",
            "namespace": "edge",
            "generation": 1,
            "managedFields": [
                {"manager": manager, "operation": "Apply"},
                {"manager": "traefik", "operation": "Update"},
            ],
        },
        "spec": {"gatewayClassName": "traefik", "listeners": list(listeners)},
        "status": {**READY, **status},
    }


def found(*objects: dict[str, Any], **wanted: Any) -> list[str]:
    classes = kind("gateway.networking.k8s.io", "GatewayClass", namespaced=False)
    issuers = kind("cert-manager.io", "ClusterIssuer", namespaced=False)
    api = FakeApi(*objects, served=(*SERVED, kind("gateway.networking.k8s.io", "Gateway"), classes, issuers))
    return examine({**WANTED, **wanted}, api, api.discover())


def selector(**fields: Any) -> dict[str, Any]:
    return listener(allowedRoutes={"namespaces": {"from": "Selector", "selector": fields}})


@pytest.mark.parametrize(
    ("served", "wanted"),
    [
        (listener(), {}),
        (listener(hostname="social.example.org"), {}),
        (listener("https"), {"listener": "https"}),
        (listener("https", hostname="*.example.org"), {"listener": "https"}),
        # A wildcard stands for one label or more.
        (listener("https", hostname="*.org"), {"listener": "https"}),
        (listener(allowedRoutes={"kinds": [{"kind": "HTTPRoute"}], **ALL}), {}),
        (listener(allowedRoutes={}), {"route_namespaces": ["edge"]}),
        (selector(matchLabels={"kubernetes.io/metadata.name": "mastodon"}), {}),
        (selector(matchLabels={"edge": "yes"}), {}),
        (selector(matchExpressions=[{"key": "edge", "operator": "In", "values": ["yes", "maybe"]}]), {}),
        (selector(matchExpressions=[{"key": "edge", "operator": "NotIn", "values": ["no"]}]), {}),
        (selector(matchExpressions=[{"key": "edge", "operator": "Exists"}]), {}),
        (selector(matchExpressions=[{"key": "other", "operator": "DoesNotExist"}]), {}),
        (selector(), {}),
    ],
)
def test_a_gateway_that_serves_mastodon_is_used_as_it_is(served: dict[str, Any], wanted: dict[str, Any]) -> None:
    labelled = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon", "labels": {"edge": "yes"}}}
    assert found(gateway(listener("http", port=80, protocol="HTTP"), served), labelled, **wanted) == []


@pytest.mark.parametrize(
    ("served", "wanted", "reported"),
    [
        (
            listener("https", hostname="*.example.org"),
            {},
            "has no listener social.example.org for social.example.org, only https. Set gateway_https_listener to https.",
        ),
        (
            listener("https", hostname="*.example.net"),
            {},
            "has no listener social.example.org for social.example.org, only https. Have its owner add one that serves "
            "social.example.org.",
        ),
        (
            # A wildcard does not stand for nothing.
            listener("https", hostname="*.social.example.org"),
            {"listener": "https"},
            "listener https serves HTTPS for *.social.example.org, not HTTPS for social.example.org.",
        ),
        (
            listener("http", protocol="HTTP"),
            {"listener": "http"},
            "listener http serves HTTP for all hosts, not HTTPS for social.example.org.",
        ),
        (listener(allowedRoutes={}), {}, "listener social.example.org accepts no routes from namespace mastodon."),
        (
            listener(allowedRoutes={"kinds": [{"kind": "TLSRoute"}], **ALL}),
            {},
            "accepts no routes from namespace mastodon.",
        ),
        (listener(allowedRoutes={"namespaces": {"from": "None"}}), {}, "accepts no routes from namespace mastodon."),
        (selector(matchLabels={"edge": "yes"}), {}, "accepts no routes from namespace mastodon."),
        (
            selector(matchExpressions=[{"key": "edge", "operator": "In", "values": ["yes"]}]),
            {},
            "accepts no routes from namespace mastodon.",
        ),
        (
            selector(matchExpressions=[{"key": "edge", "operator": "Invented"}]),
            {},
            "accepts no routes from namespace mastodon.",
        ),
    ],
)
def test_a_gateway_that_does_not_says_what_to_do(served: dict[str, Any], wanted: dict[str, Any], reported: str) -> None:
    sentences = found(gateway(served), **wanted)
    assert len(sentences) == 1
    assert sentences[0].startswith("Gateway edge/shared: ")
    assert reported in sentences[0]


def test_every_host_is_looked_for() -> None:
    hosts = ["social.example.org", "example.org", "media.example.org"]
    assert len(found(gateway(listener()), hostnames=hosts)) == 2


def test_a_gateway_that_is_not_programmed_is_not_used() -> None:
    conditions = [
        {"type": "Accepted", "status": "True", "observedGeneration": 1},
        {"type": "Programmed", "status": "False", "observedGeneration": 1, "message": "no address to spare"},
    ]
    assert found(gateway(listener(), conditions=conditions)) == [
        "Gateway edge/shared: is not ready: no address to spare. Have its owner put that right."
    ]


def test_a_gateway_that_does_not_exist_is_not_used() -> None:
    assert found() == [
        "Gateway edge/shared: does not exist. Correct gateway_name and gateway_namespace, or set gateway_install to true."
    ]


@pytest.mark.parametrize("manager", ["fediverse.mastodon", "fediverse.mastodon/neighbour.example.org"])
def test_a_gateway_of_ours_is_added_to(manager: str) -> None:
    assert found(gateway(manager=manager), gateway_class("traefik"), made=True) == []


def test_a_gateway_that_does_not_exist_is_made() -> None:
    assert found(gateway_class("traefik"), made=True) == []


def gateway_class(name: str, accepted: str = "True") -> dict[str, Any]:
    said = {"type": "Accepted", "status": accepted, "reason": "Waiting", "message": "Waiting for controller"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": name, "generation": 1},
        "spec": {"controllerName": f"{name}.io/gateway-controller"},
        "status": {"conditions": [{**said, "observedGeneration": 1}]},
    }


@pytest.mark.parametrize(
    ("classes", "reported"),
    [
        (["cilium", "traefik"], "there are: cilium, traefik"),
        ([], "there is none"),
    ],
)
def test_a_class_that_does_not_exist_is_refused_with_those_that_do(classes: list[str], reported: str) -> None:
    assert found(*map(gateway_class, classes), made=True, gateway_class="nginx") == [
        f"GatewayClass nginx: does not exist: {reported}. Correct gateway_class, or install it first."
    ]


def test_a_class_whose_controller_is_not_there_is_refused() -> None:
    assert found(gateway_class("traefik", accepted="Unknown"), made=True) == [
        "GatewayClass traefik: is not ready: Waiting for controller. "
        "Check whether its controller traefik.io/gateway-controller runs."
    ]


def test_a_gateway_in_use_does_not_change_its_class() -> None:
    classes = [gateway_class("traefik"), gateway_class("cilium")]
    sentences = found(gateway(manager="fediverse.mastodon"), *classes, made=True, gateway_class="cilium")
    assert sentences == [
        "Gateway edge/shared: is of GatewayClass traefik, whose controller would stop serving all that is on it once it is "
        "of cilium. Set gateway_class to traefik, or gateway_name to a new name to have one of cilium beside it."
    ]


def issuer(name: str, ready: str) -> dict[str, Any]:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": name},
        "status": {"conditions": [{"type": "Ready", "status": ready, "message": "account not registered"}]},
    }


def test_an_issuer_of_others_must_exist_and_be_ready() -> None:
    there = (gateway_class("traefik"), issuer("letsencrypt", "True"), issuer("staging", "False"))
    assert found(*there, made=True, issuer="letsencrypt") == []
    assert found(*there, made=True, issuer="letsencript") == [
        "ClusterIssuer letsencript: does not exist: there are: letsencrypt, staging. "
        "Correct cert_manager_issuer_name, or install it first."
    ]
    assert found(*there, made=True, issuer="staging") == [
        "ClusterIssuer staging: is not ready: account not registered. Check whether its controller runs."
    ]


def test_classes_that_may_not_be_listed_are_left_to_the_gateway_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    read = FakeApi.read

    def forbidden(api: FakeApi, selection: Selection) -> Listing:
        if selection.resource.kind == "GatewayClass":
            raise api.forbidden(selection)
        return read(api, selection)

    monkeypatch.setattr(FakeApi, "read", forbidden)
    assert found(made=True) == []


def test_the_class_of_a_gateway_that_is_used_as_it_is_is_its_owners() -> None:
    assert found(gateway(listener()), gateway_class="") == []


def test_a_gateway_of_others_is_not_added_to_unasked() -> None:
    assert found(gateway(listener()), made=True) == [
        "Gateway edge/shared: exists, and others created it. Set gateway_install to false to use it as it is, "
        "or gateway_name to a name of your own."
    ]


def test_where_no_gateways_are_served_nothing_more_is_asked() -> None:
    api = FakeApi()
    assert examine({**WANTED, "made": True}, api, api.discover()) == []
