# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

from .conftest import FakeVault

ROLE: dict[str, Any] = {
    "mount_point": "kubernetes",
    "api_server": "https://kubernetes.default.svc",
    "name": "app",
    "bound_service_account_names": ["external-secrets"],
    "bound_service_account_namespaces": ["external-secrets"],
    "policies": ["read"],
    "audience": "vault",
    "ttl": 600,
}


def writes(server: FakeVault) -> list[str]:
    return [call for call in server.calls if not call.startswith("GET")]


def test_a_mount_is_made_when_absent_and_adopted_when_there(vault: Vault, server: FakeVault) -> None:
    assert access.ensure_mount(vault, "secret", check=False).action == "unchanged"
    assert writes(server) == []
    assert access.ensure_mount(vault, "other", check=True).action == "created"
    assert writes(server) == []
    assert access.ensure_mount(vault, "other", check=False).action == "created"
    assert access.ensure_mount(vault, "other", check=False).action == "unchanged"


@pytest.mark.parametrize("mount", [{"type": "kv", "options": {"version": "1"}}, {"type": "pki", "options": None}])
def test_a_mount_of_another_kind_is_refused(vault: Vault, server: FakeVault, mount: dict[str, Any]) -> None:
    server.mounts["secret/"] = mount
    with pytest.raises(MastodonError, match=r"^Vault mount secret: cannot be used: it is .*Set vault_mount"):
        access.ensure_mount(vault, "secret", check=False)
    assert writes(server) == []


def test_a_policy_is_written_only_when_its_text_differs(vault: Vault, server: FakeVault) -> None:
    assert access.ensure_policy(vault, "p", "a\n", check=True).action == "created"
    assert writes(server) == []
    assert access.ensure_policy(vault, "p", "a\n", check=False).action == "created"
    assert access.ensure_policy(vault, "p", "a", check=False).action == "unchanged"
    outcome = access.ensure_policy(vault, "p", "b\n", check=False)
    assert (outcome.action, outcome.before, outcome.after) == ("configured", "a\n", "b\n")


def test_the_login_and_its_role_are_made_once(vault: Vault, server: FakeVault) -> None:
    assert len(access.ensure_kubernetes_role(vault, ROLE, check=True)) == 3
    assert writes(server) == []
    made = access.ensure_kubernetes_role(vault, ROLE, check=False)
    assert [outcome.action for outcome in made] == ["created", "configured", "created"]
    server.calls.clear()
    assert access.ensure_kubernetes_role(vault, ROLE, check=False) == []
    assert writes(server) == []


def test_a_configured_login_is_left_as_it_is(vault: Vault, server: FakeVault) -> None:
    server.logins["kubernetes/"] = {"type": "kubernetes"}
    server.objects["auth/kubernetes/config"] = {"kubernetes_host": "https://somewhere.else"}
    access.ensure_kubernetes_role(vault, ROLE, check=False)
    assert server.objects["auth/kubernetes/config"] == {"kubernetes_host": "https://somewhere.else"}


REVIEWER = access.Reviewer("canary", "-----BEGIN CERTIFICATE-----\n")
OUTSIDE = {**ROLE, "api_server": "https://api.example.org:6443"}


def test_a_vault_outside_of_the_cluster_gets_a_reviewer_and_uses_no_other(vault: Vault, server: FakeVault) -> None:
    made = access.ensure_kubernetes_role(vault, OUTSIDE, check=False, reviewer=REVIEWER)
    assert server.objects["auth/kubernetes/config"] == {
        "kubernetes_host": "https://api.example.org:6443",
        "kubernetes_ca_cert": REVIEWER.authority,
        "token_reviewer_jwt": "canary",
        "disable_local_ca_jwt": True,
    }
    assert "canary" not in f"{made}{REVIEWER}"
    assert access.ensure_kubernetes_role(vault, OUTSIDE, check=False, reviewer=REVIEWER) == []


def test_a_login_of_another_cluster_is_refused(vault: Vault, server: FakeVault) -> None:
    server.logins["kubernetes/"] = {"type": "kubernetes"}
    server.objects["auth/kubernetes/config"] = {"kubernetes_host": "https://other.example.org:6443"}
    reported = r"^Vault login kubernetes: is of another cluster: it asks https://other.*Set vault_auth_mount to another path\.$"
    with pytest.raises(MastodonError, match=reported):
        access.ensure_kubernetes_role(vault, OUTSIDE, check=False, reviewer=REVIEWER)
    assert writes(server) == []


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("https://api.example.org:6443/", "https://api.example.org:6443"),
        ("https://api.example.org:6443", "https://API.example.org:6443/"),
        ("https://api.example.org", "https://api.example.org:443"),
        ("https://api.example.org./k8s/clusters/c-1/", "https://api.example.org/k8s/clusters/c-1"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_one_cluster_may_be_written_in_several_ways(vault: Vault, server: FakeVault, found: str, wanted: str) -> None:
    server.logins["kubernetes/"] = {"type": "kubernetes"}
    server.objects["auth/kubernetes/config"] = {"kubernetes_host": found}
    made = access.ensure_kubernetes_role(vault, {**OUTSIDE, "api_server": wanted}, check=False, reviewer=REVIEWER)
    assert [outcome.line for outcome in made] == ["created Vault role app"]
    assert server.objects["auth/kubernetes/config"] == {"kubernetes_host": found}


@pytest.mark.parametrize("found", ["https://api.example.org", "https://api.example.org:6443/k8s", "https://a:x"])
def test_another_port_or_path_is_another_cluster(vault: Vault, server: FakeVault, found: str) -> None:
    server.logins["kubernetes/"] = {"type": "kubernetes"}
    server.objects["auth/kubernetes/config"] = {"kubernetes_host": found}
    with pytest.raises(MastodonError, match="is of another cluster"):
        access.ensure_kubernetes_role(vault, OUTSIDE, check=False, reviewer=REVIEWER)


@pytest.mark.parametrize("found", [7, True, [], {}, ["https://api.example.org:6443"]])
@pytest.mark.parametrize("reviewer", [None, REVIEWER])
def test_a_configuration_with_no_text_for_a_host_is_refused_and_not_written_over(
    vault: Vault, server: FakeVault, found: object, reviewer: access.Reviewer | None
) -> None:
    server.logins["kubernetes/"] = {"type": "kubernetes"}
    server.objects["auth/kubernetes/config"] = {"kubernetes_host": found}
    with pytest.raises(MastodonError, match="kubernetes_host of its answer is not a text"):
        access.ensure_kubernetes_role(vault, OUTSIDE, check=False, reviewer=reviewer)
    assert writes(server) == []


def test_only_the_role_is_changed_when_a_field_of_ours_differs(vault: Vault, server: FakeVault) -> None:
    access.ensure_kubernetes_role(vault, ROLE, check=False)
    server.objects["auth/kubernetes/role/app"]["somebody"] = "else's"
    made = access.ensure_kubernetes_role(vault, {**ROLE, "ttl": 60}, check=False)
    assert [(outcome.action, outcome.line) for outcome in made] == [("configured", "configured Vault role app")]


def test_a_login_of_another_kind_is_refused(vault: Vault, server: FakeVault) -> None:
    server.logins["kubernetes/"] = {"type": "oidc"}
    with pytest.raises(MastodonError, match="it is of type oidc"):
        access.ensure_kubernetes_role(vault, ROLE, check=False)
    assert writes(server) == []
