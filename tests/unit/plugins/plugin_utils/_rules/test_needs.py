# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported of each need is in tests/wrong_config; here is what is peculiar."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import needs
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings, missing

from ....roles.conftest import Site

OTHERS_GATEWAY = {"gateway_install": False, "gateway_https_listener": "web"}


def needed(variable: str, **settings: Any) -> bool:
    """Whether the rules ask for a setting."""
    said = needs.RULES.problems(Settings(Site(**settings).value, {}))
    return any(sentence.startswith(f"Variable {variable}: missing: ") for sentence in said)


def test_a_need_says_what_to_do() -> None:
    assert missing("gateway_class", "the Gateway is made here", "gateway_install to false") == (
        "Variable gateway_class: missing: the Gateway is made here. Set it in your inventory, or set gateway_install to false."
    )


def test_what_is_set_is_not_needed() -> None:
    assert needs.RULES.problems(Settings(Site().value, {})) == []


def test_for_a_gateway_of_others_no_account_at_an_authority_is_needed() -> None:
    assert needed("cert_manager_acme_email", cert_manager_acme_email="")
    assert not needed("cert_manager_acme_email", cert_manager_acme_email="", gateway_install=False)


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"rook_backend": "rook"}, True),
        ({"rook_backend": "rook", "gateway_media_hostname": "media.example.org"}, False),
        ({"rook_external_endpoint": "http://minio.minio.svc:9000"}, True),
        ({"rook_external_endpoint": "https://minio.minio.svc.cluster.local"}, True),
        ({"rook_external_endpoint": "http://minio:9000"}, True),
        ({"rook_external_endpoint": "http://minio:9000", "gateway_media_hostname": "media.example.org"}, False),
        ({"rook_backend": "rook", **OTHERS_GATEWAY, "mastodon_s3_alias_host": "media.example.org"}, False),
        ({"rook_backend": "rook", **OTHERS_GATEWAY}, True),
        # A Gateway made here listens for the host of this setting alone.
        ({"rook_backend": "rook", "mastodon_s3_alias_host": "media.example.org"}, True),
        ({"rook_external_endpoint": "https://s3.example.org"}, False),
        ({"rook_external_endpoint": "https://s3.svc.example.org"}, False),
        ({"rook_external_endpoint": ""}, False),
    ],
)
def test_a_bucket_inside_the_cluster_needs_a_host_that_browsers_reach(settings: dict[str, Any], refused: bool) -> None:
    assert needed("gateway_media_hostname", **settings) is refused


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("http://127.0.0.1:8200", True),
        ("https://127.8.0.1", True),
        ("https://localhost:8200/vault", True),
        ("http://LOCALHOST:8200", True),
        ("http://[::1]:8200", True),
        ("https://localhost.example.org:8200", False),
        ("https://127.example.org", False),
        ("https://[2001:db8::1]:8200", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("setting", ["vault_address", "external_secrets_vault_address"])
def test_pods_are_not_pointed_at_themselves(setting: str, address: str, refused: bool) -> None:
    assert needed("external_secrets_vault_address", **{setting: address}) is refused


def test_a_tunnel_to_vault_is_well_where_pods_have_another_way() -> None:
    other = {"external_secrets_vault_address": "http://vault.vault.svc:8200"}
    assert not needed("external_secrets_vault_address", vault_address="http://127.0.0.1:8200", **other)


@pytest.mark.parametrize(("audience", "refused"), [("", True), ("vault", False), ("https://vault.example.org", False)])
def test_a_login_that_takes_any_token_of_external_secrets_is_refused(audience: str, refused: bool) -> None:
    assert needed("vault_audience", vault_audience=audience) is refused
