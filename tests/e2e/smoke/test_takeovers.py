# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour, who may edit and administer a namespace of the cluster, tries to take over Mastodon or the cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ...conftest import Lab
from ..support import eventually
from .support import Object, apply, namespace

SPACE = "next-door"
NAME = "neighbour"


@dataclass(frozen=True)
class Neighbour:
    """Somebody who has all rights that Kubernetes gives to who edits and administers one namespace."""

    lab: Lab

    def tries(self, wanted: Object) -> str:
        """Apply an object to the own namespace, and return what is said against it."""
        command = [self.lab.facts["kubectl"], f"--kubeconfig={self.lab.facts['kubeconfig']}", f"--as={NAME}"]
        wanted["metadata"] = {"name": "mine", "namespace": SPACE, **wanted.get("metadata", {})}
        asked = [*command, "create", "--filename=-"]
        return subprocess.run(asked, input=json.dumps(wanted), capture_output=True, text=True, check=False).stderr


@pytest.fixture(scope="module")
def neighbour(installed: Lab) -> Iterator[Neighbour]:
    with namespace(installed, SPACE):
        apply(installed, *(may(role) for role in ("edit", "admin")))
        yield Neighbour(installed)


def verdict(lab: Lab, kind: str, space: str, name: str) -> str:
    """Return the status of External Secrets' condition Ready once it has looked at an object."""

    def ready() -> str:
        conditions = lab.get(kind, f"-n={space}", name).get("status", {}).get("conditions", ())
        return "".join(one["status"] for one in conditions if one["type"] == "Ready")

    return eventually(ready, bool)


def may(role: str) -> Object:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": SPACE},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": NAME}],
    }


def release() -> dict[str, Any]:
    source = {"kind": "HelmRepository", "name": "mine"}
    return {"interval": "1h", "chart": {"spec": {"chart": "takeover", "sourceRef": source}}}


def kustomization() -> dict[str, Any]:
    return {"interval": "1h", "prune": True, "sourceRef": {"kind": "GitRepository", "name": "mine"}}


def reading(kind: str, store: str, path: str, key: str) -> Object:
    """An ExternalSecret that reads one value of Mastodon's folder."""
    remote = {"key": f"mastodon/social.lab.test/{path}", "property": key}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": f"{store}-{path}"},
        "spec": {
            "secretStoreRef": {"kind": kind, "name": store},
            "data": [{"secretKey": "taken", "remoteRef": remote}],
        },
    }


def admin() -> Object:
    return {**may("cluster-admin"), "kind": "ClusterRoleBinding", "metadata": {"name": "takeover"}}


@pytest.mark.parametrize(
    ("api_version", "kind", "spec"),
    [
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", release()),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", kustomization()),
        ("fluxcd.controlplane.io/v1", "ResourceSet", {"resources": [admin()]}),
        ("fluxcd.controlplane.io/v1", "FluxInstance", {"distribution": {"version": "2.x", "registry": "example.org"}}),
    ],
    ids=lambda value: value if str(value).isalpha() else "",
)
def test_nobody_acts_as_cluster_admin_through_flux(
    neighbour: Neighbour, api_version: str, kind: str, spec: dict[str, Any]
) -> None:
    assert "forbidden" in neighbour.tries({"apiVersion": api_version, "kind": kind, "spec": spec})


@pytest.mark.parametrize(
    ("store", "path", "key"),
    [("vault-mastodon", "app", "secret-key-base"), ("vault-mastodon-dns", "dns", "tsig-secret")],
)
def test_nobody_reads_secrets_through_a_store_of_mastodon(
    neighbour: Neighbour, store: str, path: str, key: str
) -> None:
    assert key in neighbour.lab.stored(path)
    assert neighbour.tries(reading("ClusterSecretStore", store, path, key)) == ""
    assert verdict(neighbour.lab, "externalsecret", SPACE, f"{store}-{path}") == "False"


@pytest.mark.parametrize("role", ["mastodon-social.lab.test", "mastodon-social.lab.test-dns"])
@pytest.mark.parametrize(
    "account", [{}, {"serviceAccountRef": {"name": "default", "audiences": ["vault"]}}], ids=["operator", "own"]
)
def test_nobody_logs_in_to_vault_as_mastodon(neighbour: Neighbour, role: str, account: dict[str, Any]) -> None:
    """A store of one's own without an account sends the operator's own token."""
    name = f"{role.rpartition('-')[2]}-{len(account)}".replace(".", "-")
    provider = neighbour.lab.get("clustersecretstore", "vault-mastodon")["spec"]["provider"]["vault"]
    provider["auth"] = {"kubernetes": {"mountPath": "kubernetes", "role": role, **account}}
    store = {"apiVersion": "external-secrets.io/v1", "kind": "SecretStore", "metadata": {"name": name}}
    assert neighbour.tries({**store, "spec": {"provider": {"vault": provider}}}) == ""
    assert verdict(neighbour.lab, "secretstore", SPACE, name) == "False"


@pytest.mark.parametrize("kind", ["Issuer", "ClusterIssuer"])
def test_nobody_gets_a_certificate_for_mastodons_host_of_its_issuer(neighbour: Neighbour, kind: str) -> None:
    name = f"mine-{kind.lower()}"
    reference = {"group": "cert-manager.io", "kind": kind, "name": "social-lab-test-acme"}
    assert neighbour.lab.get("issuers.cert-manager.io", "-n=gateway-system", reference["name"])
    spec = {"secretName": name, "dnsNames": ["social.lab.test"], "issuerRef": reference}
    wanted = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": name}, "spec": spec}
    assert neighbour.tries(wanted) == ""

    def reported() -> list[str]:
        asked = neighbour.lab.get("certificaterequests.cert-manager.io", f"-n={SPACE}")["items"]
        mine = [one for one in asked if one["spec"]["issuerRef"]["kind"] == kind]
        entries = [entry for one in mine for entry in one.get("status", {}).get("conditions", ())]
        return [entry["message"] for entry in entries if entry["type"] == "Ready"]

    assert "not found" in eventually(reported, bool)[0]


def test_nobody_answers_for_mastodons_host_over_plain_http(neighbour: Neighbour) -> None:
    parent = {"name": "shared-gateway-external", "namespace": "gateway-system", "sectionName": "http"}
    rule = {"backendRefs": [{"name": "mine", "port": 80}]}
    spec = {"parentRefs": [parent], "hostnames": ["social.lab.test"], "rules": [rule]}
    # Who edits a namespace may make routes only where somebody says so, and many clusters do.
    metadata = {"name": "mine", "namespace": SPACE}
    apply(
        neighbour.lab,
        {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec},
    )

    def reasons() -> list[str]:
        parents = neighbour.lab.get("httproute", f"-n={SPACE}", "mine").get("status", {}).get("parents", ())
        return [entry["reason"] for one in parents for entry in one["conditions"] if entry["type"] == "Accepted"]

    assert eventually(reasons, bool) == ["NotAllowedByListeners"]


@pytest.mark.parametrize(
    ("space", "store", "path", "key"),
    [
        ("external-dns", "vault-mastodon-dns", "app", "secret-key-base"),
        ("external-dns", "vault-mastodon-dns", "admin", "password"),
        ("gateway-system", "vault-mastodon", "postgresql", "password"),
        ("mastodon", "vault-mastodon", "admin", "password"),
        ("mastodon", "vault-mastodon", "fingerprint", "key"),
        ("mastodon", "vault-mastodon", "dns", "tsig-secret"),
    ],
)
def test_who_edits_a_namespace_reads_only_what_is_needed_there(
    installed: Lab, space: str, store: str, path: str, key: str
) -> None:
    assert key in installed.stored(path)
    wanted = reading("ClusterSecretStore", store, path, key)
    wanted["metadata"] = {"name": f"taken-{path}", "namespace": space}
    apply(installed, wanted)
    try:
        assert verdict(installed, "externalsecret", space, f"taken-{path}") == "False"
    finally:
        installed.kubectl("delete", "externalsecret", f"-n={space}", f"taken-{path}")


def test_nobody_claims_the_bucket_of_media_whatever_he_may_claim(neighbour: Neighbour) -> None:
    ours = neighbour.lab.get("objectbucketclaim", "-n=mastodon", "mastodon-s3")["spec"]
    theirs = {key: ours[key] for key in ("storageClassName", "bucketName")}
    wanted = {"apiVersion": "objectbucket.io/v1alpha1", "kind": "ObjectBucketClaim", "spec": theirs}
    assert "forbidden" in neighbour.tries(wanted)
    # An administrator of the cluster, and whoever is given the right to claim buckets.
    with pytest.raises(subprocess.CalledProcessError) as refused:
        neighbour.lab.kubectl("create", "--filename=-", given=json.dumps(wanted))
    assert "holds the media of a Mastodon" in refused.value.stderr


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        ("create", "clusterissuers.cert-manager.io"),
        ("create", "challenges.acme.cert-manager.io"),
        ("create", "clustersecretstores.external-secrets.io"),
        ("create", "clusterexternalsecrets.external-secrets.io"),
        ("create", "clusterpushsecrets.external-secrets.io"),
        ("create", "gateways.gateway.networking.k8s.io"),
        ("create", "cephobjectstoreusers.ceph.rook.io"),
        ("impersonate", "users"),
        ("patch", "namespaces"),
    ],
)
def test_no_operator_gives_who_edits_a_namespace_more_than_that(neighbour: Neighbour, verb: str, kind: str) -> None:
    command = [neighbour.lab.facts["kubectl"], f"--kubeconfig={neighbour.lab.facts['kubeconfig']}", f"--as={NAME}"]
    # What is in no namespace is asked for in none.
    wide = kind.startswith("cluster") or kind in ("users", "namespaces")
    place = "--all-namespaces" if wide else f"--namespace={SPACE}"
    asked = subprocess.run([*command, "auth", "can-i", verb, kind, place], capture_output=True, text=True, check=False)
    assert asked.stdout.strip() == "no", asked.stderr
