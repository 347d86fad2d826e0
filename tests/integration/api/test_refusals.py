# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server refuses, for each reason: one sentence that names object, cause and next step."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.test_apply import config_map, deployment

RBAC = "apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"


def post(cluster: Cluster, path: str, kind: str, **fields: Any) -> Any:
    """Create an object past the engine."""
    group = path.strip("/").removeprefix("apis/").removeprefix("api/").rpartition("/")[0].partition("/namespaces")[0]
    body = {"apiVersion": group, "kind": kind, "metadata": {"name": cluster.namespace}, **fields}
    return cluster.client.request("POST", path, about=path, body=body)


def eventually(happens: Callable[[], bool], seconds: float = 30) -> None:
    """Ask until the API server has taken a new rule into account."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def in_this_namespace(cluster: Cluster) -> dict[str, Any]:
    """Return a selector that keeps a test's admission rules away from everybody else."""
    return {"matchLabels": {"kubernetes.io/metadata.name": cluster.namespace}}


RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}


def test_a_quota_is_named(cluster: Cluster) -> None:
    path = f"/api/v1/namespaces/{cluster.namespace}/resourcequotas"
    post(cluster, path, "ResourceQuota", spec={"hard": {"count/secrets": "0"}})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": cluster.namespace}}
    eventually(lambda: "msg" in cluster.apply(secret, check=True).result)
    reported = cluster.apply(secret, check=True).result["msg"]
    assert reported.startswith(f"Secret {cluster.namespace}/s: does not fit the namespace's quota: ")
    assert "limited: count/secrets=0. Raise the quota or ask for less." in reported


def test_a_policy_s_denial_is_named(cluster: Cluster) -> None:
    validations = [{"expression": "object.metadata.name != 'settings'", "message": "not that name"}]
    constraints = {"resourceRules": [RULE], "namespaceSelector": in_this_namespace(cluster)}
    policy = {"matchConstraints": constraints, "validations": validations}
    policies = f"{ADMISSION}/validatingadmissionpolicies"
    bindings = f"{ADMISSION}/validatingadmissionpolicybindings"
    post(cluster, policies, "ValidatingAdmissionPolicy", spec=policy)
    binding = {"policyName": cluster.namespace, "validationActions": ["Deny"]}
    post(cluster, bindings, "ValidatingAdmissionPolicyBinding", spec=binding)
    try:
        eventually(lambda: "msg" in cluster.apply(config_map(cluster, a="1"), check=True).result)
        reported = cluster.apply(config_map(cluster, a="1"), check=True).result["msg"]
    finally:
        cluster.delete(f"{bindings}/{cluster.namespace}")
        cluster.delete(f"{policies}/{cluster.namespace}")
    assert reported.startswith(f"ConfigMap {cluster.namespace}/settings: was denied by an admission policy: ")
    assert reported.endswith("denied request: not that name. Change the object as the policy asks.")


@pytest.fixture(params=["configmaps"])
def webhook(request: pytest.FixtureRequest, cluster: Cluster) -> Any:
    """Return the way to remove a webhook of some resource that has no server behind it."""
    path = f"{ADMISSION}/validatingwebhookconfigurations"
    hook = {
        "name": "lost.mastodon.test",
        "clientConfig": {"service": {"namespace": cluster.namespace, "name": "lost"}},
        "rules": [{**RULE, "resources": [request.param]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
        "namespaceSelector": in_this_namespace(cluster),
    }
    post(cluster, path, "ValidatingWebhookConfiguration", webhooks=[hook])
    # The API server takes it into account a moment later.
    probe = {**config_map(cluster, "probe"), "kind": "Secret" if request.param == "secrets" else "ConfigMap"}
    eventually(lambda: "msg" in cluster.apply(probe, wait_timeout=0).result)
    removed = threading.Event()

    def remove() -> None:
        if not removed.is_set():
            removed.set()
            cluster.delete(f"{path}/{cluster.namespace}")

    yield remove
    remove()


def test_a_webhook_that_does_not_come_up_is_named_and_one_that_does_is_waited_for(
    cluster: Cluster, webhook: Any
) -> None:
    failed = cluster.apply(config_map(cluster, a="1"), wait_timeout=1)
    assert (
        "an admission webhook does not answer: Internal error occurred: failed calling webhook" in failed.result["msg"]
    )
    assert 'service "lost" not found' in failed.result["msg"]
    timer = threading.Timer(2, webhook)
    timer.start()
    applied = cluster.apply(config_map(cluster, a="1"))
    timer.join()
    assert applied.actions[f"ConfigMap {cluster.namespace}/settings"] == "created"
    assert any(line.startswith("waiting to apply ConfigMap") for line in applied.lines)


@pytest.mark.parametrize("webhook", ["secrets"], indirect=True)
def test_a_webhook_is_waited_for_with_a_secret_too_and_nothing_of_it_is_reported(
    cluster: Cluster, webhook: Any
) -> None:
    secret = {**config_map(cluster, "key"), "kind": "Secret", "data": {}, "stringData": {"password": "canary"}}
    failed = cluster.apply(secret, wait_timeout=1)
    assert 'an admission webhook does not answer: failed calling webhook "lost.mastodon.test"' in failed.result["msg"]
    timer = threading.Timer(2, webhook)
    timer.start()
    applied = cluster.apply(secret)
    timer.join()
    assert applied.actions[f"Secret {cluster.namespace}/key"] == "created"
    assert any(line.startswith("waiting to apply Secret") for line in applied.lines)
    assert "canary" not in f"{failed}{applied}"


def test_a_namespace_that_is_being_deleted_is_named(cluster: Cluster) -> None:
    held = config_map(cluster, "held", a="1")
    held["metadata"]["finalizers"] = ["test.mastodon/hold"]
    cluster.apply(held)
    cluster.delete(f"/api/v1/namespaces/{cluster.namespace}")
    reported = cluster.apply(deployment(cluster)).result["msg"]
    cluster.patch(cluster.path("configmaps", "held"), "kubectl", {"metadata": {"finalizers": None}})
    assert f"{cluster.namespace}" in reported
    assert "its namespace is being deleted" in reported


def job(cluster: Cluster, image: str) -> dict[str, Any]:
    """Return a Job that does not start."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": image}]}
    metadata = {"name": "migrate", "namespace": cluster.namespace}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def claim(cluster: Cluster, storage_class: str) -> dict[str, Any]:
    """Return a claim that nothing fulfils."""
    metadata = {"name": "data", "namespace": cluster.namespace}
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {**asked, "storageClassName": storage_class}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


Make = Callable[[Cluster, str], dict[str, Any]]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("make", "reason", "remedy"),
    [
        (job, ": field is immutable. ", "or delete it first: kubectl -n {0.namespace} delete jobs.batch migrate."),
        (claim, "spec is immutable after", "with {1} would go the data on its volume."),
    ],
)
def test_what_cannot_be_changed_is_reported_with_field_reason_and_next_step(
    cluster: Cluster, make: Make, reason: str, remedy: str, check: bool
) -> None:
    _inventory, subject = cluster.apply(make(cluster, "a"), wait=False).actions
    reported = cluster.apply(make(cluster, "b"), check=check).result["msg"]
    assert reported.startswith(f"{subject}: is invalid: spec")
    assert reason in reported
    assert "Put the former value back" in reported
    assert reported.endswith(remedy.format(cluster, subject))


def limited(cluster: Cluster, folder: Path, *verbs: str) -> str:
    """Return the kubeconfig of a service account that may do this much to ConfigMaps of the namespace."""
    place = f"/{RBAC}/namespaces/{cluster.namespace}"
    post(cluster, f"/api/v1/namespaces/{cluster.namespace}/serviceaccounts", "ServiceAccount")
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}]
    post(cluster, f"{place}/roles", "Role", rules=rules)
    subject = {"kind": "ServiceAccount", "name": cluster.namespace, "namespace": cluster.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": cluster.namespace}
    post(cluster, f"{place}/rolebindings", "RoleBinding", subjects=[subject], roleRef=role)
    token = cluster.client.request(
        "POST",
        f"/api/v1/namespaces/{cluster.namespace}/serviceaccounts/{cluster.namespace}/token",
        about="token",
        body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}},
    )["status"]["token"]
    config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    config["users"][0]["user"] = {"token": token}
    (folder / "kubeconfig").write_text(json.dumps(config))
    return str(folder / "kubeconfig")


@pytest.mark.parametrize(
    ("verbs", "missing"),
    [(("get",), 'cannot list resource "configmaps"'), (("list",), 'cannot patch resource "configmaps"')],
)
def test_a_missing_right_is_named(cluster: Cluster, tmp_path: Path, verbs: tuple[str, ...], missing: str) -> None:
    reported = cluster.apply(config_map(cluster, a="1"), kubeconfig=limited(cluster, tmp_path, *verbs)).result["msg"]
    assert "is not permitted (403)" in reported
    assert missing in reported
    assert f'in the namespace "{cluster.namespace}"' in reported


def test_few_rights_are_enough_for_a_set_in_one_namespace(cluster: Cluster, tmp_path: Path) -> None:
    kubeconfig = limited(cluster, tmp_path, "list", "watch", "patch", "create")
    assert "msg" not in cluster.apply(config_map(cluster, a="1"), kubeconfig=kubeconfig).result


def test_a_wrong_token_is_named(cluster: Cluster, tmp_path: Path) -> None:
    config = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    config["users"][0]["user"] = {"token": "canary"}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    with pytest.raises(MastodonError, match=r"API server https://.*: refused the credentials \(401\)") as caught:
        cluster.apply(config_map(cluster, a="1"), kubeconfig=str(tmp_path / "kubeconfig"))
    assert "canary" not in str(caught.value)
