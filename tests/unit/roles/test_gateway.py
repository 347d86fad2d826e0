# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gateway that the role `gateway` would apply."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import APPLY, Site

CHECKED = {"doctor_settings": {"subject": "mastodon/mastodon"}}
OTHER = {"doctor_settings": {"subject": "mastodon/other"}}


@pytest.mark.parametrize(
    ("settings", "asks"),
    [({}, True), (CHECKED, False), (OTHER, True), ({**CHECKED, "gateway_install": False}, True)],
    ids=["alone", "after the doctor", "after the doctor of another", "a Gateway of somebody's"],
)
def test_what_others_have_there_is_asked_once_and_each_kind_before_anything_is_created(
    settings: dict[str, Any], asks: bool
) -> None:
    checked, made = Site(**settings).tasks("gateway", "instance.yml").values()
    assert checked["when"] is asks
    kinds = [one["kind"] for one in made[APPLY]["kinds"]]
    assert kinds == ["Gateway", "Certificate"]


def test_a_host_that_is_named_twice_has_one_listener() -> None:
    site = Site(mastodon_web_domain="example.org")
    assert site.value("gateway_hostnames") == ["example.org"]
    listeners = site.objects("gateway")["Gateway shared-gateway-external"]["spec"]["listeners"]
    assert [one["hostname"] for one in listeners if "hostname" in one] == ["example.org"]


def test_challenges_over_http_are_answered_in_a_namespace_that_lets_nothing_in() -> None:
    policy = "NetworkPolicy example-org-tls-acme"
    found = Site(cert_manager_acme_solver="http01").objects("gateway")[policy]
    assert found["metadata"]["namespace"] == "gateway-system"
    # cert-manager's label of the pods that answer, and their port.
    assert found["spec"] == {
        "podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 8089, "protocol": "TCP"}]}],
    }
    for others in ({"cert_manager_acme_solver": "cloudflare"}, {"cert_manager_issuer": "private_ca"}):
        assert policy not in Site(**others).objects("gateway")
    assert policy not in Site(mastodon_network_policies=False).objects("gateway")
