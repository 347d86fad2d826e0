# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose claim a bucket is left to, by a real API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME, GROUP = "objectbucketclaims.objectbucket.io", "objectbucket.io"
SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
NAMES = {"kind": "ObjectBucketClaim", "plural": "objectbucketclaims", "singular": "objectbucketclaim"}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": NAME},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": NAMES,
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": SCHEMA}],
    },
}


def claim(namespace: str, name: str, bucket: str) -> dict[str, Any]:
    spec = {"bucketName": bucket} if bucket else {"generateBucketName": "any"}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ObjectBucketClaim", "metadata": metadata, "spec": spec}


@pytest.fixture
def guarded(cluster: Cluster) -> Iterator[str]:
    """A cluster that knows claims, with what guards the bucket of a Mastodon in the namespace; returns what it is called."""
    known = cluster.client.request("GET", CRDS, about="kinds")["items"]
    if NAME in {item["metadata"]["name"] for item in known}:
        pytest.skip("this cluster has Rook")
    cluster.client.request("POST", CRDS, about=NAME, body=DEFINITION)
    cluster.crds.append(NAME)
    rook = {
        "rook_backend": "rook",
        "rook_storage": {"deviceFilter": "^sdb$"},
        "rook_claim_namespace": cluster.namespace,
    }
    objects = Site(**rook).objects("rook")
    guards = [item for name, item in objects.items() if name.startswith("ValidatingAdmissionPolicy")]
    done = cluster.apply(*guards, name="guards")
    assert "failed" not in done.result, done.result
    assert not cluster.apply(*guards, name="guards").result["changed"]
    yield str(objects["ObjectBucketClaim mastodon-s3"]["spec"]["bucketName"])
    cluster.apply(name="guards")


def refusal(cluster: Cluster, wanted: dict[str, Any]) -> str:
    """Return what is said against a claim, in a dry run."""
    path = f"/apis/{GROUP}/v1alpha1/namespaces/{cluster.namespace}/objectbucketclaims"
    try:
        cluster.client.request("POST", path, about="claim", query={"dryRun": "All"}, body=wanted)
    except MastodonError as error:
        return str(error)
    return ""


def test_a_bucket_is_left_to_the_claim_of_its_mastodon(cluster: Cluster, guarded: str) -> None:
    other = claim(cluster.namespace, "somebody", guarded)
    # The API server takes a moment to follow new policies.
    until = time.monotonic() + 30
    while not (said := refusal(cluster, other)):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert f"bucket {guarded} holds the media of a Mastodon" in said
    assert refusal(cluster, claim(cluster.namespace, "mastodon-s3", guarded)) == ""
    assert refusal(cluster, claim(cluster.namespace, "somebody", "another")) == ""
    assert refusal(cluster, claim(cluster.namespace, "somebody", "")) == ""
