# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import domains
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rule, Settings

ROOT = Path(__file__).parents[5]
DEFAULTS = {"rook_backend": "rook", "mastodon_namespace": "", "rook_claim_namespace": ""}


def said(rule: Rule, values: dict[str, Any]) -> list[str]:
    return list(rule(Settings({**DEFAULTS, **values}.__getitem__, {}, given=values)))


@pytest.mark.parametrize("domain", ["example.org", "social.example.com", "example.net", "mastodon.example"])
def test_the_domain_of_the_example_is_nobodys(domain: str) -> None:
    [sentence] = said(domains.example_domain, {"mastodon_local_domain": domain, "mastodon_web_domain": ""})
    assert sentence == (
        f"Variable mastodon_local_domain: {domain} is reserved for examples. Set your own domain in its place."
    )


@pytest.mark.parametrize("domain", ["social.lab.test", "myexample.org", "example.social", None])
def test_a_domain_of_yours_is_let_through(domain: str | None) -> None:
    assert said(domains.example_domain, {"mastodon_local_domain": domain}) == []


def test_the_inventory_that_users_copy_is_refused_as_it_is() -> None:
    values = yaml.safe_load((ROOT / "inventories/example/group_vars/clusters.yml").read_text())
    assert len(said(domains.example_domain, values)) == 1


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, False),
        ({"rook_claim_namespace": "mastodon", "mastodon_namespace": "mastodon"}, False),
        ({"rook_claim_namespace": "media", "mastodon_namespace": "mastodon"}, True),
        ({"rook_claim_namespace": "media", "mastodon_namespace": "mastodon", "rook_backend": "rook"}, True),
        # The keys are written where they are read, too.
        ({"rook_claim_namespace": "media", "mastodon_namespace": "mastodon", "rook_backend": "external"}, False),
    ],
)
def test_a_bucket_is_claimed_where_its_keys_are_read(values: dict[str, str], refused: bool) -> None:
    assert bool(said(domains.claimed_elsewhere, values)) is refused


def test_a_bucket_that_nobody_named_is_not_looked_for_in_the_host() -> None:
    named = {"rook_external_endpoint": "https://media.s3.example.org"}
    assert said(domains.bucket_in_host, named) == []
    assert len(said(domains.bucket_in_host, {**named, "rook_external_bucket": "media"})) == 1
