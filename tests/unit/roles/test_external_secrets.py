# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How External Secrets reaches Vault: inside the cluster or outside, in a namespace, by an authority of one's own.

Also that its webhook takes what all roles ask of it, by the rules of the pinned version, which the lab's is older than.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import conftest
from .conftest import SETTINGS, Site
from .sites import SITES, applied

DNS = {"cert_manager_acme_solver": "cloudflare"}


def vaults(site: Site) -> list[dict[str, Any]]:
    objects = site.objects("external_secrets")
    return [
        item["spec"]["provider"]["vault"] for name, item in objects.items() if name.startswith("ClusterSecretStore")
    ]


def test_every_store_trusts_the_authority_and_reads_in_the_namespace_that_the_roles_use(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("of one's own\n")
    found = vaults(Site(vault_ca_cert=str(authority), vault_namespace="team/social", **DNS))
    assert len(found) == 2
    for vault in found:
        assert base64.b64decode(vault["caBundle"]).decode().strip() == "of one's own"
        assert vault["namespace"] == "team/social"
        assert vault["server"] == "https://vault.example.org:8200"


def test_by_default_the_world_is_trusted_and_there_is_no_namespace() -> None:
    for vault in vaults(Site(**DNS)):
        assert not {"caBundle", "namespace"} & set(vault)


def test_pods_may_reach_it_by_another_address_without_tls(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("of one's own\n")
    settings = {
        "vault_ca_cert": str(tmp_path / "ca.pem"),
        "external_secrets_vault_address": "http://vault.vault.svc:8200",
    }
    (vault,) = vaults(Site(external_dns_install=False, **settings))
    assert vault["server"] == "http://vault.vault.svc:8200"
    assert "caBundle" not in vault


@pytest.mark.parametrize("family", ["VAULT", "BAO"])
def test_the_environment_names_the_server_for_roles_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, family: str
) -> None:
    (tmp_path / "ca.pem").write_text("of one's own\n")
    for name, value in {"ADDR": "https://there:8200", "CACERT": str(tmp_path / "ca.pem"), "NAMESPACE": "team"}.items():
        monkeypatch.setenv(f"{family}_{name}", value)
    monkeypatch.setattr(conftest, "SETTINGS", {name: one for name, one in SETTINGS.items() if name != "vault_address"})
    (vault,) = vaults(Site(external_dns_install=False))
    assert (vault["server"], vault["namespace"]) == ("https://there:8200", "team")
    assert vault["caBundle"]


@pytest.mark.parametrize(
    ("host", "reviewer"),
    [
        ("https://kubernetes.default.svc", ""),
        ("https://kubernetes.default.svc.cluster.local:443", ""),
        ("https://kubernetes.default.svc.cluster.local.", ""),
        ("https://kubernetes.default.svc.k8s.example.org/", ""),
        ("https://kubernetes", ""),
        ("https://kubernetes:443/", ""),
        ("https://kubernetes.default", ""),
        ("https://Kubernetes.Default.SVC", ""),
        ("https://kubernetes.example.org", "external-secrets/vault-reviewer"),
        ("https://kubernetes.default.example.org", "external-secrets/vault-reviewer"),
        ("https://kubernetes-default:6443", "external-secrets/vault-reviewer"),
        ("https://api.example.org:6443", "external-secrets/vault-reviewer"),
    ],
)
def test_a_vault_outside_of_the_cluster_asks_it_by_an_account_of_its_own(host: str, reviewer: str) -> None:
    site = Site(vault_kubernetes_host=host)
    tasks = [task for task in site.tasks("vault", "main.yml").values() if task["when"]]
    roles = [role for task in tasks if (role := task.get("fediverse.mastodon.vault_kubernetes_role"))]
    assert {(role["api_server"], role["reviewer"]) for role in roles} == {(host, reviewer)}
    applied = {f"{item['kind']} {item['metadata']['name']}": item for item in site.objects("vault").values()}
    if not reviewer:
        assert applied == {}
        return
    assert set(applied) == {
        "ServiceAccount vault-reviewer",
        "ClusterRoleBinding external-secrets-vault-reviewer",
        "Secret vault-reviewer",
    }
    bound = applied["ClusterRoleBinding external-secrets-vault-reviewer"]
    assert bound["roleRef"]["name"] == "system:auth-delegator"
    assert [one["name"] for one in bound["subjects"]] == ["vault-reviewer"]
    assert applied["Secret vault-reviewer"]["type"] == "kubernetes.io/service-account-token"


def refusals(spec: dict[str, Any]) -> Iterator[str]:
    """Yield what the webhook of 2.9.0 has against an ExternalSecret of keys one by one, as all of ours are.

    https://github.com/external-secrets/external-secrets/blob/v2.9.0/apis/externalsecrets/v1/externalsecret_validator.go
    """
    target, keys = spec["target"], [one["secretKey"] for one in spec.get("data", [])]
    template = target.get("template", {})
    policies = target.get("creationPolicy", "Owner"), target.get("deletionPolicy", "Retain")
    if policies[1] == "Delete" and policies[0] != "Owner":
        yield "it deletes what it does not own"
    if policies == ("None", "Merge"):
        yield "it merges with nothing"
    if not keys:
        yield "it asks for nothing"
    if len(keys) > len(set(keys)):
        yield "it has a key twice"
    if template.get("type") in ("bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"):
        yield "it makes a token of the cluster"
    if not {one.get("target", "Data") for one in template.get("templateFrom", [])} <= {"Data", "Annotations", "Labels"}:
        yield "it writes beside the data"


KEYS = {"data": [{"secretKey": "password"}]}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"target": {"creationPolicy": "Merge", "deletionPolicy": "Delete"}, **KEYS},
            "it deletes what it does not own",
        ),
        ({"target": {"creationPolicy": "None", "deletionPolicy": "Merge"}, **KEYS}, "it merges with nothing"),
        ({"target": {}}, "it asks for nothing"),
        ({"target": {}, "data": KEYS["data"] * 2}, "it has a key twice"),
        (
            {"target": {"template": {"type": "bootstrap.kubernetes.io/token"}}, **KEYS},
            "it makes a token of the cluster",
        ),
        ({"target": {"template": {"templateFrom": [{"target": "type"}]}}, **KEYS}, "it writes beside the data"),
    ],
)
def test_the_webhook_s_rules_refuse_what_no_role_asks_for(spec: dict[str, Any], said: str) -> None:
    assert [*refusals(spec)] == [said]


def test_the_pinned_version_s_webhook_takes_every_external_secret() -> None:
    found = [item for name in SITES for item in applied(name) if item["kind"] == "ExternalSecret"]
    assert len(found) > len(SITES)
    assert {item["metadata"]["name"]: [*refusals(item["spec"])] for item in found if [*refusals(item["spec"])]} == {}
    # It takes any text for a store's refreshInterval but only a number of seconds or a duration is right; none of ours has one.
    stores = [item for name in SITES for item in applied(name) if item["kind"] == "ClusterSecretStore"]
    assert [store for store in stores if "refreshInterval" in store["spec"]] == []
    assert stores
