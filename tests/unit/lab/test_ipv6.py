# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab has IPv6 beside IPv4 where that is asked for by name, and is otherwise as it always was."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab import cli, ipv6
from mastodon_lab.cluster import api, components, config, network
from mastodon_lab.lab import ALL, DOCKER, IPV6, KIND, MAX_INDEX, Lab
from mastodon_lab.parts import catalogue, certificates, platform
from mastodon_lab.parts.keys import keys


@pytest.fixture
def both(lab: Lab) -> Lab:
    return replace(lab, parts=frozenset({ALL, IPV6}))


def test_all_does_not_stand_for_it_and_on_kind_it_is_left_out(lab: Lab, both: Lab) -> None:
    assert [one.has(IPV6) for one in (lab, both, replace(both, way=KIND), replace(both, way=DOCKER))] == [
        False,
        True,
        False,
        False,
    ]
    assert both.has("traefik")


def test_leaving_other_parts_out_does_not_bring_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    brought: list[Lab] = []
    monkeypatch.setattr(cli, "STATES", tmp_path)
    monkeypatch.delenv("LAB_STATE", raising=False)
    monkeypatch.setattr(cli, "up", lambda lab, _progress: brought.append(lab))
    assert cli.main(["up", "--with", "all", "--without", "ceph"]) == 0
    assert cli.main(["up", "--with", "all,ipv6", "--without", "ceph"]) == 0
    assert [lab.has(IPV6) for lab in brought] == [False, True]


@pytest.mark.parametrize("index", [0, MAX_INDEX])
def test_all_addresses_lie_in_the_one_range_that_the_host_routes(index: int) -> None:
    one = ipv6.Addresses(index)
    whole = ipaddress.IPv6Network(one.network)
    for part in (one.service_cidr, one.pod_cidr):
        assert ipaddress.IPv6Network(part).subnet_of(whole)
    for address in (one.node, one.gateway, one.host, one.link):
        assert ipaddress.IPv6Address(address) in whole
    assert not whole.overlaps(ipaddress.IPv6Network(ipv6.Addresses(index + 1).network))


def test_pods_get_an_address_of_each_family(lab: Lab, both: Lab) -> None:
    ranges = [config.pod_network(one)["plugins"][0]["ipam"]["ranges"] for one in (lab, both)]
    assert ranges == [
        [[{"subnet": "10.209.64.0/18"}]],
        [[{"subnet": "10.209.64.0/18"}], [{"subnet": "fd6c:6162:209:64::/112"}]],
    ]
    assert config.pod_network(both)["plugins"][0]["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    assert config.kube_proxy(both)["clusterCIDR"] == "10.209.64.0/18,fd6c:6162:209:64::/112"


def test_services_may_have_one_of_each_family(lab: Lab, both: Lab) -> None:
    given = [
        next(word for word in components._apiserver(one) if word.startswith("--service-cluster-ip"))
        for one in (lab, both)
    ]
    assert given == [
        "--service-cluster-ip-range=10.209.0.0/20",
        "--service-cluster-ip-range=10.209.0.0/20,fd6c:6162:209:1::/112",
    ]


def test_the_host_reaches_it_by_both(lab: Lab, both: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(network, "connected", lambda _lab: False)
    monkeypatch.setattr(network, "disconnect", lambda _lab: None)
    monkeypatch.setattr(network, "_run", done.append)
    network.connect(lab, 7)
    assert not any("fd6c" in command for command in done)
    network.connect(both, 7)
    assert "ip route add fd6c:6162:209::/48 via fd6c:6162:209:255::2" in done
    assert "nsenter --target 7 --net ip address add fd6c:6162:209:128::80/128 dev lo" in done


def test_the_gateway_says_of_itself_where_it_is(lab: Lab, both: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    changed: list[tuple[str, object]] = []
    monkeypatch.setattr(api, "merge", lambda _lab, path, change: changed.append((path, change)))
    for one in (lab, both):
        catalogue._set_up_gateway(one, keys(lab))
    service = "/api/v1/namespaces/traefik/services/traefik"
    ingress = [{"ip": "10.209.128.80"}, {"ip": "fd6c:6162:209:128::80"}]
    assert changed == [
        (service, {"spec": {"type": "LoadBalancer"}}),
        (f"{service}/status", {"status": {"loadBalancer": {"ingress": ingress}}}),
    ]


def test_its_service_takes_connections_to_both(lab: Lab, both: Lab) -> None:
    lab.pki.mkdir()
    certificates.ensure(lab, platform.servers(lab))
    texts = ["\n".join(platform.manifests(one, keys(lab))) for one in (lab, both)]
    assert 'externalIPs: ["10.209.128.80"]' in texts[0]
    assert "statusaddress.ip=10.209.128.80\n" in texts[0]
    assert 'externalIPs: ["10.209.128.80", "fd6c:6162:209:128::80"]' in texts[1]
    assert "statusaddress.ip=\n" in texts[1]
