# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from mastodon_lab.cluster import network
from mastodon_lab.cluster.network import Route
from mastodon_lab.lab import Lab

LINK = {"ifname": "mastodon-lab9", "operstate": "UP"}
ROUTE = {"dst": "10.209.0.0/16", "dev": "mastodon-lab9"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """What `ip -json` prints, by its first word."""
    table: dict[str, list[dict[str, Any]]] = {"link": [], "route": []}
    monkeypatch.setattr(network, "_ip_json", lambda *words: json.loads(json.dumps(table[words[0]])))
    return table


def test_routes_leave_out_the_default(answers: dict[str, list[dict[str, Any]]]) -> None:
    answers["route"] = [
        {"dst": "default", "dev": "eth0"},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"dst": "192.0.2.2", "dev": "eth0"},
        {"type": "unreachable", "dst": "10.0.0.0/8"},
    ]
    assert network.routes() == (
        Route(ipaddress.IPv4Network("192.0.2.0/24"), "eth0"),
        Route(ipaddress.IPv4Network("192.0.2.2/32"), "eth0"),
        Route(ipaddress.IPv4Network("10.0.0.0/8"), ""),
    )


@pytest.mark.parametrize(
    ("links", "routes", "is_connected"),
    [
        ([LINK], [ROUTE], True),
        ([], [], False),
        ([LINK], [], False),
        ([{**LINK, "operstate": "DOWN"}], [ROUTE], False),
        ([LINK], [{**ROUTE, "dev": "eth0"}], False),
    ],
    ids=["all there", "nothing", "route removed", "link taken down", "route through another interface"],
)
def test_connected_means_link_and_route(
    lab: Lab,
    answers: dict[str, list[dict[str, Any]]],
    links: list[dict[str, Any]],
    routes: list[dict[str, Any]],
    is_connected: bool,
) -> None:
    answers.update(link=links, route=routes)
    assert network.connected(lab) is is_connected


@pytest.mark.parametrize(("links", "still_there"), [([], False), ([LINK], True)])
def test_lingers_tells_whether_the_interface_stays(
    lab: Lab, answers: dict[str, list[dict[str, Any]]], links: list[dict[str, Any]], still_there: bool
) -> None:
    answers["link"] = links
    assert network.lingers(lab, 0) is still_there
