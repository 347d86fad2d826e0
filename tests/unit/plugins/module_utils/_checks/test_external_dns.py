# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may write DNS records as which owner."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.external_dns import examine
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

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
