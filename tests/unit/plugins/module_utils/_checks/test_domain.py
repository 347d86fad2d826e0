# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which zone a host is in, and whether its name servers know."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.domain import delegation
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError


class World:
    """A resolver in front of two name servers: `answers` by address."""

    def __init__(self, zone: str = "example.org", **answers: bool | None) -> None:
        self.zone = zone
        self.answers = answers

    def zone_of(self, _host: str) -> str:
        return self.zone

    def name_servers(self, _zone: str) -> frozenset[str]:
        return frozenset(self.answers)

    def addresses(self, name: str) -> frozenset[str]:
        return frozenset({name, f"{name} over IPv6"})

    def knows(self, address: str, _zone: str) -> bool | None:
        return self.answers.get(address)


def reported(world: Any, zones: tuple[str, ...] = ()) -> str:
    return delegation(world, "social.example.org", zones)


def refused(world: Any, zones: tuple[str, ...] = ()) -> str:
    with pytest.raises(MastodonError) as caught:
        reported(world, zones)
    return str(caught.value)


def test_a_zone_that_all_its_name_servers_know_is_well() -> None:
    well = "DNS name social.example.org: in zone example.org, which a, b answer for"
    assert reported(World(a=True, b=True)) == reported(World(a=True, b=True), ("other.org", "example.org")) == well


def test_name_servers_that_a_firewall_hides_are_no_fault_of_the_zone() -> None:
    assert reported(World(a=None, b=None)).endswith("in zone example.org, whose name servers cannot be asked from here")


@pytest.mark.parametrize("other", [False, None])
def test_a_name_server_that_does_not_know_the_zone_is_named(other: bool | None) -> None:
    assert refused(World(a=True, b=other)).startswith(
        "DNS zone example.org: is not answered for by all its name servers: b of 2 name servers do not. Remove them"
    )


@pytest.mark.parametrize(("zone", "nearest"), [("org", "org"), ("", "the root")])
def test_a_domain_that_nobody_registered_is_not_delegated(zone: str, nearest: str) -> None:
    assert refused(World(zone)).startswith(
        f"DNS name social.example.org: is not delegated: the nearest zone is {nearest}."
    )


def test_records_in_a_zone_that_nobody_asks_are_refused() -> None:
    assert refused(World("social.example.org", a=True), ("example.org",)) == (
        "DNS name social.example.org: would not be found: it lies in zone social.example.org, and records are written to "
        "example.org, where nobody asks for them. Name social.example.org in external_dns_zones."
    )
