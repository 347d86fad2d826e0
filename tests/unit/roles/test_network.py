# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the NetworkPolicies of the roles let pass. On a lab, tests/e2e/smoke/test_network.py connects."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.e2e import flows
from ansible_collections.fediverse.mastodon.tests.e2e.attempts import AT_ONCE, ATTEMPTS, CONNECT, settled
from ansible_collections.fediverse.mastodon.tests.e2e.flows import FLOWS, PAGE, VARIANTS, Flow

from .conftest import Site

ROLES = ("mastodon", "cnpg", "dragonfly", "gateway")
# Whose policies are all of ours.
JUDGED = {flows.WEB, flows.STREAMING, flows.SIDEKIQ, flows.DATABASE}


def test_every_role_that_installs_something_has_its_connections_in_the_table() -> None:
    roles = {path.name for path in (Path(__file__).parents[3] / "roles").iterdir()} - {"common", "doctor"}
    assert flows.OF_ROLE.keys() == roles
    tried = {one for flow in FLOWS for one in (*flow.sources, flow.target)}
    assert {one for ends in flows.OF_ROLE.values() for one in ends} - tried == set()


@dataclass(frozen=True)
class Pod:
    """What policies know of a pod."""

    namespace: str
    labels: Mapping[str, str]
    address: str = "10.0.0.1"


def pods(site: Site) -> dict[str, Pod]:
    """Return the pods of a site, with the labels that their operators and charts give them, and one of nobody's each."""
    ours, database = site.value("mastodon_namespace"), site.value("cnpg_cluster_namespace")
    of_chart = {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": site.value("mastodon_name")}
    of_cluster = {"cnpg.io/cluster": site.value("cnpg_cluster_name")}
    cache_name = site.value("dragonfly_name")
    of_cache = {"app": cache_name, "app.kubernetes.io/name": "dragonfly", "app.kubernetes.io/part-of": "dragonfly"}
    parts = {flows.WEB: "web", flows.STREAMING: "streaming", flows.SIDEKIQ: "sidekiq-all-queues"}
    return {
        **{name: Pod(ours, {**of_chart, "app.kubernetes.io/component": part}) for name, part in parts.items()},
        flows.DATABASE: Pod(database, {**of_cluster, "cnpg.io/podRole": "instance"}),
        flows.POOLER: Pod(database, {**of_cluster, "cnpg.io/podRole": "pooler"}),
        flows.CACHE: Pod(site.value("dragonfly_instance_namespace"), of_cache),
        flows.ANSWERS: Pod(site.value("gateway_namespace"), {"acme.cert-manager.io/http01-solver": "true"}),
        flows.POSTGRES_OPERATOR: Pod(site.value("cnpg_namespace"), {"app.kubernetes.io/name": "cloudnative-pg"}),
        flows.CACHE_OPERATOR: Pod(site.value("dragonfly_namespace"), {"app.kubernetes.io/name": "dragonfly-operator"}),
        flows.BESIDE: Pod(ours, {}),
        flows.NEIGHBOUR: Pod("neighbour", {}),
        flows.GATEWAY: Pod("traefik", {}),
        flows.OUTSIDE: Pod("", {}, "192.0.2.7"),
    }


@cache
def rendered(settings: str) -> tuple[Site, list[Any]]:
    site = Site(**json.loads(settings))
    made = [one for role in ROLES for one in site.objects(role).values()]
    return site, [one for one in made if one["kind"] == "NetworkPolicy"]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a selector matches. All of ours go by equality."""
    assert selector.keys() <= {"matchLabels"}
    return selector.get("matchLabels", {}).items() <= labels.items()


def is_from(peer: Mapping[str, Any], source: Pod, namespace: str) -> bool:
    assert peer
    if "ipBlock" in peer:
        assert peer.keys() == {"ipBlock"}
        return ip_address(source.address) in ip_network(peer["ipBlock"]["cidr"])
    assert peer.keys() <= {"namespaceSelector", "podSelector"}
    place = {"kubernetes.io/metadata.name": source.namespace} if source.namespace else {}
    in_place = (
        selects(peer["namespaceSelector"], place) if "namespaceSelector" in peer else source.namespace == namespace
    )
    return bool(source.namespace) and in_place and selects(peer.get("podSelector", {}), source.labels)


def lets_pass(policies: Iterable[Any], source: Pod, target: Pod, port: int) -> bool:
    """Judge a TCP connection as https://kubernetes.io/docs/concepts/services-networking/network-policies/ has it."""
    apply = [
        one["spec"]
        for one in policies
        if one["metadata"]["namespace"] == target.namespace and selects(one["spec"]["podSelector"], target.labels)
    ]
    assert all(spec["policyTypes"] == ["Ingress"] for spec in apply)
    rules = [rule for spec in apply for rule in spec.get("ingress", [])]
    assert all(rule.keys() <= {"from", "ports"} for rule in rules)
    return not apply or any(
        {"port": port, "protocol": "TCP"} in rule["ports"]
        and ("from" not in rule or any(is_from(peer, source, target.namespace) for peer in rule["from"]))
        for rule in rules
    )


JUDGED_FLOWS = [*(flow for flow in FLOWS if flow.target in JUDGED), *VARIANTS]


def passing(flow: Flow, *, nothing_in: bool) -> dict[str, bool]:
    """Judge a flow, also where every namespace has a policy that lets nothing in."""
    site, rendered_ones = rendered(json.dumps(flow.settings))
    there = pods(site)
    target = there[flow.target]
    nothing = {"metadata": {"namespace": target.namespace}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    policies = [
        *rendered_ones,
        *([of_dragonfly(site)] if flow.target == flows.CACHE else []),
        *([nothing] if nothing_in else []),
    ]
    return {source: lets_pass(policies, there[source], target, flow.port) for source in flow.sources}


@pytest.mark.parametrize("flow", JUDGED_FLOWS, ids=flows.row)
def test_policies_let_pass_what_the_page_says(flow: Flow) -> None:
    assert passing(flow, nothing_in=False) == dict.fromkeys(flow.sources, flow.passes)


@pytest.mark.parametrize("flow", [flow for flow in JUDGED_FLOWS if flow.settings != flows.OPEN], ids=flows.row)
def test_the_same_passes_where_nothing_else_is_let_in(flow: Flow) -> None:
    assert passing(flow, nothing_in=True) == dict.fromkeys(flow.sources, flow.passes)


GOING_OUT = [
    flow
    for flow in (*FLOWS, *VARIANTS)
    if flow.passes
    and flow.target in (flows.DATABASE, flows.CACHE, flows.POOLER)
    and set(flow.sources) & set(flows.MASTODON)
]


@pytest.mark.parametrize("flow", GOING_OUT, ids=flows.row)
def test_what_the_page_lets_out_of_mastodons_namespace_reaches_database_and_cache(flow: Flow) -> None:
    site, _unused = rendered(json.dumps(flow.settings))
    there = pods(site)
    ours, target = site.value("mastodon_namespace"), there[flow.target]
    rules = yaml.safe_load(flows.WHAT_GOES_OUT)["spec"]["egress"]
    for source in set(flow.sources) & set(flows.MASTODON):
        assert there[source].namespace == ours
        assert any(
            ("ports" not in rule or {"port": flow.port, "protocol": "TCP"} in rule["ports"])
            and ("to" not in rule or any(is_from(peer, target, ours) for peer in rule["to"]))
            for rule in rules
        )


def test_a_connection_that_should_pass_is_tried_again_and_no_other() -> None:
    tries: list[set[str]] = []

    def tried(wanted: Iterable[str]) -> dict[str, bool]:
        tries.append(set(wanted))
        return {one: one == "open" or (one == "late" and len(tries) == ATTEMPTS) for one in wanted}

    wanted = {"open": True, "late": True, "closed": False}
    assert settled(tried, wanted) == wanted
    assert tries == [{"open", "late", "closed"}, *[{"late"}] * (ATTEMPTS - 1)]
    tries.clear()
    assert settled(tried, {"lost": True, "open": False}) == {"lost": False, "open": True}
    assert tries == [{"lost", "open"}, *[{"lost"}] * (ATTEMPTS - 1)]


def test_every_address_is_tried_and_so_many_at_once(tmp_path: Path) -> None:
    """With a stand-in for nc that writes down how many of it run."""
    program = tmp_path / "nc"
    program.write_text(
        '#!/bin/sh\ncd "$(dirname "$0")"\ntouch "$4.runs"; ls | grep -c runs >"$4.count"; sleep 0.2; rm "$4.runs"\n[ "$4" != 7 ]\n'
    )
    program.chmod(0o755)
    addresses = [f"192.0.2.1:{port}" for port in range(1, 2 * AT_ONCE + 4)]
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["sh", "-c", CONNECT, "connect", *addresses]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    ended = dict(line.rstrip().split(" ") for line in done.stdout.splitlines())
    assert ended == {one: "1" if one.endswith(":7") else "0" for one in addresses}
    assert max(int(file.read_text()) for file in tmp_path.glob("*.count")) <= AT_ONCE


def of_dragonfly(site: Site) -> Any:
    """Return the part of its operator's own policy that is about clients."""
    labels = pods(site)[flows.CACHE].labels
    rule = {"ports": [{"port": 6379, "protocol": "TCP"}], "from": [{"podSelector": {}}]}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [rule]}
    return {"metadata": {"namespace": site.value("dragonfly_instance_namespace")}, "spec": spec}


def test_the_page_has_every_flow() -> None:
    found = flows.page()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(found, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == found
