# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbook `federation`: what it declares of an instance follows from its settings, and the rest can be said."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import KUBERNETES_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.federation_check import ARGUMENTS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import of_plays

from .conftest import ROOT, Site

TEXT = (ROOT / "roles/mastodon/tasks/federation.yml").read_text()
DECLARED = (ROOT / "roles/mastodon/vars/main/federation.yml").read_text()
[TASK] = yaml.safe_load(TEXT)
TEMPLATES: dict[str, str] = TASK["fediverse.mastodon.federation_check"]
# Those of labs, of name servers at another port, and of more than one instance.
ELSEWHERE = {"instances", "nameserver_port", "taken_as_public"}


def declared(**settings: Any) -> dict[str, Any]:
    """Return what an inventory comes to."""
    site = Site(**{"omit": "OMIT", **settings})
    return {option: site.rendered(template) for option, template in TEMPLATES.items()}


@pytest.mark.parametrize(("settings", "looks"), [({}, False), ({"mastodon_federation_check": True}, True)])
def test_site_ends_with_it_where_that_is_asked_for(settings: dict[str, Any], looks: bool) -> None:
    last = yaml.safe_load((ROOT / "roles/mastodon/tasks/proof.yml").read_text())[-1]
    assert last["ansible.builtin.include_tasks"] == "federation.yml"
    for check_mode in (False, True):
        site = Site(**{"ansible_check_mode": check_mode, **settings})
        assert site.rendered("{{ " + last["when"] + " }}") is (looks and not check_mode)


def test_all_that_can_be_declared_can_be_declared_in_an_inventory() -> None:
    assert set(TEMPLATES) == set(ARGUMENTS.options) - ELSEWHERE - set(KUBERNETES_OPTIONS)


def test_an_authority_of_ours_is_trusted_where_no_other_is_declared() -> None:
    wanted = {"namespace": "gateway", "name": "example-org-private-ca"}
    private = {"cert_manager_issuer": "private_ca", "gateway_namespace": "gateway"}
    site = {"mastodon_local_domain": "example.org"}
    assert declared(**private, **site)["ca_secret"] == wanted
    for settings in ({}, {**private, "federation_ca_certificates": ["-----BEGIN CERTIFICATE-----"]}):
        assert declared(**settings)["ca_secret"] == "OMIT"


def test_hosts_follow_from_the_settings() -> None:
    values = {"mastodon": {"streaming": {"baseUrl": "wss://streaming.example.org"}, "authorizedFetch": True}}
    found = declared(mastodon_s3_alias_host="cdn.example.org", mastodon_values=values)
    assert (found["media_hostname"], found["streaming_hostname"]) == ("cdn.example.org", "streaming.example.org")
    assert (found["secure_mode"], found["limited_federation"]) == (True, False)


def test_without_settings_of_their_own_streaming_is_at_the_web_host_and_the_account_is_the_owner_s() -> None:
    found = declared(mastodon_admin_username="owner")
    assert (found["streaming_hostname"], found["account"], found["nameserver"]) == ("", "owner", "")
    assert (found["internal"], found["ca_certificates"]) == (False, [])


def test_causes_are_looked_for_at_the_gateway_that_mastodon_is_reached_by() -> None:
    shared = {"gateway_namespace": "gateway", "gateway_name": "mastodon"}
    assert declared(**shared)["gateway"] == {"namespace": "gateway", "name": "mastodon"}
    own = {**shared, "mastodon_gateway_namespace": "edge", "mastodon_gateway_name": "shared"}
    assert declared(**own)["gateway"] == {"namespace": "edge", "name": "shared"}


def test_the_name_server_is_the_one_that_records_are_verified_at() -> None:
    assert declared(external_dns_verify_nameserver="192.0.2.53")["nameserver"] == "192.0.2.53"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("account", "alice"),
        ("addresses", ["203.0.113.7"]),
        ("ca_certificates", ["-----BEGIN CERTIFICATE-----"]),
        ("followed_hosts", ["www.example.org"]),
        ("hold", True),
        ("internal", True),
        ("key_fingerprint", "sha256:0"),
        ("media_path", "/a.png"),
        ("nameserver", "192.0.2.53"),
        ("reports", {"json": "/var/lib/federation.json"}),
        ("since", "/var/lib/before.json"),
    ],
)
def test_what_follows_from_no_setting_is_declared_by_a_variable(option: str, value: Any) -> None:
    assert declared(**{f"federation_{option}": value})[option] == value


def test_the_variables_are_documented() -> None:
    named = set(re.findall(r"\bfederation_(?!check\b)[a-z_]+", TEXT + DECLARED))
    assert named == set(re.findall(r"`(federation_[a-z_]+)`", (ROOT / "docs/operating.md").read_text()))
    assert named == of_plays.FEDERATION.keys()


def test_it_is_looked_at_from_here_unless_another_machine_is_named() -> None:
    assert declared()["via"] == "OMIT"
    assert declared(federation_via_ssh="root@192.0.2.7")["via"] == {"ssh": "root@192.0.2.7"}
    pod = {"namespace": "mastodon", "labels": {"app.kubernetes.io/component": "web"}}
    assert declared(federation_via_pod=pod)["via"] == {"pod": pod}
