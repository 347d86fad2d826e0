# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way that other servers take: to the address of a Gateway."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import SERVICE
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import Service, dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial, direct
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import reason
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

# Whatever port its controller listens at: the world asks for this one.
PORT = 443
# Who is within reach answers at once.
_SECONDS = 3
# https://gateway-api.sigs.k8s.io/geps/gep-1762/
_OF_GATEWAY = "gateway.networking.k8s.io/gateway-name"


class NoWayError(Exception):
    """From here there is no way; the text says why."""


@dataclass(frozen=True)
class Way:
    """How to get there, for a machine and in words."""

    dial: Dial
    label: str


def to(gateway: Object, api: Api, connection: Connection) -> Way:
    """Return the way to a Gateway: straight to its address, or else through the API server. Raises NoWayError."""
    addresses = [str(one["value"]) for one in at(gateway, "status.addresses", [])]
    tried = []
    for address in addresses:
        try:
            direct(address, PORT, _SECONDS)().close()
        except OSError as error:
            tried.append(f"{address} cannot be reached from here: {reason(error)}")
        else:
            return Way(direct(address, PORT), address)
    for service in services(gateway, addresses, api):
        return Way(partial(dial, connection, service), f"{service}, through the API server")
    raise NoWayError("; ".join([*tried, "no Service is known to lead to the Gateway"]))


def by_name(host: str) -> Dial:
    """Return the way that everybody takes to a host."""
    return direct(host, PORT, _SECONDS)


def services(gateway: Object, addresses: Collection[str], api: Api) -> Iterator[Service]:
    """Yield the Services that lead to a Gateway, by its label or by its addresses."""
    for item in leading(gateway, addresses, api.read(Selection(SERVICE)).objects):
        yield Service(item["metadata"]["namespace"], item["metadata"]["name"], PORT)


def leading(gateway: Object, addresses: Collection[str], among: Iterable[Object]) -> Iterator[Object]:
    """Yield those of some Services that lead to a Gateway."""
    metadata = gateway["metadata"]
    for item in among:
        balanced = at(item, "status.loadBalancer.ingress", [])
        own = {at(item, "spec.clusterIP"), *at(item, "spec.externalIPs", [])}
        own |= {one.get(key) for one in balanced for key in ("ip", "hostname")}
        labelled = at(item, "metadata.labels", {}).get(_OF_GATEWAY) == metadata["name"]
        leads = (labelled and item["metadata"]["namespace"] == metadata["namespace"]) or own & set(addresses)
        if leads and any(port["port"] == PORT for port in at(item, "spec.ports", [])):
            yield item
