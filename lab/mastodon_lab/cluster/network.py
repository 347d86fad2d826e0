# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one thing that the host gets: a pair of linked interfaces and one route into the lab."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from mastodon_lab import ipv6
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

LINK = "uplink"


@dataclass(frozen=True)
class Route:
    """A range of addresses that the host reaches through an interface."""

    range: ipaddress.IPv4Network
    interface: str


def routes() -> tuple[Route, ...]:
    """All IPv4 ranges that the host has a route to, the default route left out."""
    found = (Route(_range(item["dst"]), str(item.get("dev", ""))) for item in _ip_json("route", "show", "table", "all"))
    return tuple(route for route in found if route.range.prefixlen)


def connected(lab: Lab) -> bool:
    """Whether the host's end is up and the host's way to the lab leads through it."""
    link = next((item for item in _ip_json("link", "show") if item["ifname"] == lab.host_link), None)
    wanted = Route(ipaddress.IPv4Network(lab.network), lab.host_link)
    return link is not None and link["operstate"] == "UP" and wanted in routes()


def lingers(lab: Lab, seconds: float) -> bool:
    """Whether the host's end is still there after at most so long: the kernel takes it away a moment after its lab."""
    deadline = time.monotonic() + seconds
    while any(item["ifname"] == lab.host_link for item in _ip_json("link", "show")):
        if time.monotonic() >= deadline:
            return True
        time.sleep(0.05)
    return False


def connect(lab: Lab, pid: int) -> None:
    """Link the host with the network namespace of process `pid`, once."""
    if connected(lab):
        return
    disconnect(lab)
    _run(f"ip link add {lab.host_link} type veth peer name {LINK} netns {pid}")
    inside = f"nsenter --target {pid} --net"
    _run(f"{inside} ip address add {lab.link_ip}/30 dev {LINK}")
    _run(f"{inside} ip link set {LINK} up")
    _run(f"ip address add {lab.host_ip}/30 dev {lab.host_link}")
    _run(f"ip link set {lab.host_link} up")
    _run(f"ip route add {lab.network} via {lab.link_ip}")
    if six := ipv6.of(lab):
        _connect_six(lab, six, inside)


def _connect_six(lab: Lab, six: ipv6.Addresses, inside: str) -> None:
    """Do the same by IPv6. Nobody else has these addresses, so that nobody has to be asked for whether they are taken."""
    _run(f"{inside} sysctl --quiet --write net.ipv6.conf.all.forwarding=1")
    for address in (six.node, six.gateway):
        _run(f"{inside} ip address add {address}/128 dev lo")
    _run(f"{inside} ip address add {six.link}/64 dev {LINK} nodad")
    _run(f"{inside} ip route add {six.service_cidr} dev lo src {six.node}")
    _run(f"ip address add {six.host}/64 dev {lab.host_link} nodad")
    _run(f"ip route add {six.network} via {six.link}")


def disconnect(lab: Lab) -> None:
    """Take the host's end away, if it is still there; the other end and the route go with it."""
    subprocess.run(("ip", "link", "delete", lab.host_link), capture_output=True, check=False)


def _range(destination: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network("0.0.0.0/0" if destination == "default" else destination)


def _ip_json(*words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_run("ip -json -4 " + " ".join(words)) or "[]")
    return found


def _run(command: str) -> str:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(
            f"`{command}` failed: {done.stderr.strip() or 'no reason given'}. The lab needs veth interfaces."
        )
    return done.stdout
