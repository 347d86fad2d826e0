# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IPv6 addresses of a lab that has some beside the others: its pods, Services that ask for both, and its Gateway."""

from __future__ import annotations

from dataclasses import dataclass

from mastodon_lab.lab import IPV6, Lab


@dataclass(frozen=True)
class Addresses:
    """Those of the lab of one index, of a network for whoever needs one: https://www.rfc-editor.org/rfc/rfc4193."""

    index: int

    def _address(self, rest: str) -> str:
        return f"fd6c:6162:{0x200 + self.index:x}:{rest}"

    @property
    def network(self) -> str:
        """All of them: the one range the host routes into the lab."""
        return self._address(":/48")

    @property
    def service_cidr(self) -> str:
        return self._address("1::/112")

    @property
    def pod_cidr(self) -> str:
        return self._address("64::/112")

    @property
    def node(self) -> str:
        return self._address("128::1")

    @property
    def gateway(self) -> str:
        return self._address("128::80")

    @property
    def host(self) -> str:
        """The host's end of the veth pair."""
        return self._address("255::1")

    @property
    def link(self) -> str:
        """The lab's end of the veth pair."""
        return self._address("255::2")


def of(lab: Lab) -> Addresses | None:
    """Return the lab's, None where it has none."""
    return Addresses(lab.index) if lab.has(IPV6) else None


def pod_cidrs(lab: Lab) -> list[str]:
    """Where its pods are."""
    six = of(lab)
    return [lab.pod_cidr, *([six.pod_cidr] if six else [])]


def service_cidrs(lab: Lab) -> list[str]:
    """Where its Services are."""
    six = of(lab)
    return [lab.service_cidr, *([six.service_cidr] if six else [])]


def gateways(lab: Lab) -> list[str]:
    """Where its Gateway is."""
    six = of(lab)
    return [lab.gateway_ip, *([six.gateway] if six else [])]
