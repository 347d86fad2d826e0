# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab.lab import MAX_INDEX, WAYS, Lab


def lab(index: int = 0, name: str = "default") -> Lab:
    return Lab(name, index, Path("/state"), Path("/cache"))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("network", "10.200.0.0/16"),
        ("service_cidr", "10.200.0.0/20"),
        ("pod_cidr", "10.200.64.0/18"),
        ("kubernetes_ip", "10.200.0.1"),
        ("dns_ip", "10.200.0.10"),
        ("openbao_ip", "10.200.0.20"),
        ("node_ip", "10.200.128.1"),
        ("gateway_ip", "10.200.128.80"),
        ("host_ip", "10.200.255.1"),
        ("link_ip", "10.200.255.2"),
        ("api_url", "https://10.200.128.1:6443"),
        ("mirror_url", "http://10.200.128.1:8879"),
        ("openbao_url", "http://10.200.0.20:8200"),
        ("kubeconfig", Path("/state/kubeconfig")),
        ("vault_token", Path("/state/vault-token")),
        ("containerd_socket", Path("/state/run/containerd.sock")),
        ("mirror", Path("/state/mirror")),
    ],
)
def test_places_are_the_agreed_ones(attribute: str, value: object) -> None:
    assert getattr(lab(), attribute) == value


@pytest.mark.parametrize("index", [0, 7, MAX_INDEX])
def test_all_addresses_lie_in_the_one_range_that_the_host_routes(index: int) -> None:
    one = lab(index)
    whole = ipaddress.IPv4Network(one.network)
    for part in (one.service_cidr, one.pod_cidr, one.container_network):
        assert ipaddress.IPv4Network(part).subnet_of(whole)
    for address in (one.node_ip, one.gateway_ip, one.bridge_ip, one.container_ip, one.host_ip, one.link_ip):
        assert ipaddress.IPv4Address(address) in whole


def test_what_kind_needs_belongs_to_labs_on_kind_only() -> None:
    everything, on_kind = lab(), replace(lab(), parts=frozenset(), way="kind")
    assert (everything.has("traefik"), everything.has("kind")) == (True, False)
    assert (on_kind.has("traefik"), on_kind.has("kind")) == (False, True)


def test_another_web_site_is_there_when_it_is_asked_for_by_name_with_what_it_stands_on(tmp_path: Path) -> None:
    everything, asked = (Lab("x", 0, tmp_path, tmp_path, frozenset({part})) for part in ("all", "website"))
    assert (everything.has("website"), everything.has("website", "traefik")) == (False, True)
    assert [asked.has(part) for part in ("website", "traefik", "knot", "pebble", "openbao")] == [*[True] * 4, False]


def test_kind_in_the_machine_s_docker_brings_its_own_volumes_and_policies() -> None:
    everything = replace(lab(), way="docker")
    own = ("local-path-provisioner", "kube-network-policies", "kind", "machine")
    assert [part for part in own if everything.has(part)] == []
    assert everything.has("traefik")
    assert everything.has("coredns")
    assert replace(lab(), way="kind").has("local-path-provisioner")


def test_however_a_lab_gets_its_node_it_has_ceph() -> None:
    for way in WAYS:
        assert replace(lab(), way=way).has("ceph")
        assert not replace(lab(), way=way, parts=frozenset({"site"})).has("ceph")


def test_a_lab_is_told_between_its_processes() -> None:
    told = replace(lab(3, "other"), way="kind")
    assert Lab.from_words(told.words) == told


@pytest.mark.parametrize("index", [0, MAX_INDEX])
def test_the_interface_name_fits_the_kernel(index: int) -> None:
    assert len(lab(index).host_link) <= 15


def test_labs_share_neither_interface_nor_cgroup() -> None:
    one, other = lab(0, "one"), lab(1, "other")
    assert one.host_link != other.host_link
    assert one.cgroup != other.cgroup
