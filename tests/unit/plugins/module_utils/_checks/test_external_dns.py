# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may write DNS records as which owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.external_dns import examine
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.test_records import REFUSED, route
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation import zones
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import (
    SERVED,
    FakeApi,
    kind,
)

WANTED = {"name": "external-dns-mastodon", "namespace": "external-dns", "owner": "production.example.org"}


def release(namespace: str, name: str, owner: str | None, chart: str = "external-dns") -> dict[str, Any]:
    values = {"txtOwnerId": owner} if owner else {}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"chart": {"spec": {"chart": chart}}, "values": values},
    }


def found(*releases: dict[str, Any]) -> list[str]:
    api = FakeApi(*releases)
    return examine(WANTED, api, api.discover())


@pytest.mark.parametrize(
    "releases",
    [
        (),
        (release("external-dns", "external-dns-mastodon", "production.example.org"),),
        (release("external-dns", "external-dns-other", "production.example.net"),),
        (release("external-dns", "external-dns-mastodon", None),),
        (release("elsewhere", "other", "production.example.org", chart="other"),),
    ],
)
def test_an_owner_of_ones_own_is_let_pass(releases: tuple[dict[str, Any], ...]) -> None:
    assert found(*releases) == []


def test_records_are_not_left_behind_by_another_owner() -> None:
    assert found(release("external-dns", "external-dns-mastodon", "staging.example.org")) == [
        "HelmRelease external-dns/external-dns-mastodon: writes records as owner staging.example.org, and as "
        "production.example.org would leave them all behind. Set external_dns_owner_id to staging.example.org, "
        "or external_dns_name to a name of your own."
    ]


@pytest.mark.parametrize("namespace", ["external-dns", "elsewhere"])
def test_two_never_write_as_one_owner(namespace: str) -> None:
    assert found(release(namespace, "external-dns-other", "production.example.org")) == [
        f"HelmRelease {namespace}/external-dns-other: writes records as owner production.example.org too, and each would take "
        "the other's for its own. Set external_dns_owner_id to a name of your own."
    ]


OURS = {"txtOwnerId": "production.example.org", "txtPrefix": "edns-%{record_type}.", "policy": "upsert-only"}
SCOPE = {"namespace": "mastodon", "gateway-name": "shared", "gateway-namespace": "edge"}
VALUES = {**OURS, "sources": ["gateway-httproute"], "extraArgs": SCOPE}


def changed(values: dict[str, Any], *routes: Any, before: dict[str, Any] | None = None) -> list[str]:
    """Return what is refused when the values of the release that is there change."""
    there = release("external-dns", "external-dns-mastodon", None)
    there["spec"]["values"] = before or VALUES
    api = FakeApi(there, *routes, served=(*SERVED, kind("gateway.networking.k8s.io", "HTTPRoute")))
    return examine({**WANTED, "values": {**VALUES, **values}}, api, api.discover())


GOING = (
    "HelmRelease external-dns/external-dns-mastodon: with policy sync it would delete the records of all hosts, as no route in "
    "namespace {} is accepted by Gateway {}. Set external_dns_policy to upsert-only until Mastodon's routes are there."
)


@pytest.mark.parametrize(
    ("scope", "namespace", "gateway"),
    [
        ({}, "mastodon", "edge/shared"),
        ({"namespace": "social"}, "social", "edge/shared"),
        ({"gateway-name": "other"}, "mastodon", "edge/other"),
        ({"gateway-namespace": "gateways"}, "mastodon", "gateways/shared"),
    ],
)
def test_records_do_not_all_go_where_no_route_asks_for_any(scope: dict[str, str], namespace: str, gateway: str) -> None:
    asks = [] if not scope else [route("social.test")]
    refused = changed({"policy": "sync", "extraArgs": {**SCOPE, **scope}}, *asks)
    assert refused == [GOING.format(namespace, gateway)]


def test_records_do_not_all_go_with_routes_that_the_gateway_refuses() -> None:
    assert changed({"policy": "sync"}, route("social.test", conditions=REFUSED)) == [
        GOING.format("mastodon", "edge/shared")
    ]


def test_records_that_routes_ask_for_stay_also_with_sync() -> None:
    assert changed({"policy": "sync"}, route("social.test")) == []


def test_without_sync_no_record_goes() -> None:
    assert changed({"extraArgs": {**SCOPE, "namespace": "social"}}) == []


def test_what_does_not_change_deletes_nothing_more_while_routes_are_away() -> None:
    assert changed({"policy": "sync"}, before={**VALUES, "policy": "sync"}) == []


@pytest.mark.parametrize(
    ("values", "gets"),
    [
        ({"txtPrefix": "txt-"}, "txtPrefix 'txt-'"),
        ({"txtPrefix": "", "txtSuffix": "-txt"}, "txtSuffix '-txt'"),
    ],
)
def test_records_are_not_orphaned_by_another_prefix_or_suffix(values: dict[str, str], gets: str) -> None:
    assert changed(values) == [
        f"HelmRelease external-dns/external-dns-mastodon: notes its records with txtPrefix 'edns-%{{record_type}}.', and with {gets} "
        "would take none of them for its own. Set external_dns_values to {txtPrefix: 'edns-%{record_type}.'}."
    ]


def test_records_are_not_orphaned_where_a_suffix_goes() -> None:
    [refused] = changed({"txtPrefix": ""}, before={**VALUES, "txtPrefix": "", "txtSuffix": "-txt"})
    assert refused.endswith("Set external_dns_values to {txtSuffix: '-txt'}.")


@pytest.fixture
def servers() -> Iterator[zones.Zones]:
    made = zones.serve({"social.test": ["192.0.2.7"]})
    yield made
    made.stop()


def first(servers: zones.Zones, *routes: Any, policy: str = "sync") -> list[str]:
    """Return what is refused of a first release, over records that are there."""
    api = FakeApi(*routes, served=(*SERVED, kind("gateway.networking.k8s.io", "HTTPRoute")))
    there = {"hosts": ["media.test", "social.test"], "nameserver": zones.RESOLVER, "nameserver_port": servers.port}
    return examine({**WANTED, **there, "values": {**VALUES, "policy": policy}}, api, api.discover())


def noted(servers: zones.Zones, owner: str) -> None:
    """Let a record be an owner's."""
    text = f'"heritage=external-dns,external-dns/owner={owner},external-dns/resource=httproute/a/b"'
    servers.say("edns-a.social.test", "TXT", zones.Said((text,)))


def test_a_first_release_may_delete_where_no_record_is_its_owner_s(servers: zones.Zones) -> None:
    assert first(servers) == []
    noted(servers, "people")
    assert first(servers) == []


def test_a_first_release_deletes_no_records_that_its_owner_has_from_before(servers: zones.Zones) -> None:
    noted(servers, WANTED["owner"])
    assert first(servers) == [
        "HelmRelease external-dns/external-dns-mastodon: with policy sync it would delete the records that owner production.example.org "
        "has, as edns-a.social.test says, until Mastodon's routes ask for them. Set external_dns_policy to upsert-only for the first run, "
        "or external_dns_owner_id to a name that no record has."
    ]
    assert first(servers, policy="upsert-only") == []
    assert first(servers, route("social.test")) == []
