# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rook's stand-in, installed by site.yml: claims get buckets that are theirs alone, and what they hold outlives them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..support import eventually
from .support import Object, apply, namespace, ready

SPACE = "smoke-rook"
ROOK = "rook-ceph"
STORE = "smoke"
HOST = f"rook-ceph-rgw-{STORE}.{ROOK}.svc"
# One that keeps buckets and one that deletes them.
KEEPS, DELETES = "smoke-rook-keeps", "smoke-rook-deletes"
SECONDS = 10


@dataclass(frozen=True)
class Bucket:
    """A bucket with one claim's keys, as this machine reaches it."""

    address: str
    keys: AWS4Auth

    def put(self, name: str, content: str) -> int:
        return requests.put(f"{self.address}/{name}", content, auth=self.keys, timeout=SECONDS).status_code

    def get(self, name: str, *, signed: bool = True) -> tuple[int, str]:
        answer = requests.get(f"{self.address}/{name}", auth=self.keys if signed else None, timeout=SECONDS)
        return answer.status_code, answer.text if answer.ok else ""


@pytest.fixture(scope="module")
def store(installed: Lab) -> Iterator[Lab]:
    """The lab with an object store of the test's own, and a namespace to claim buckets in."""
    pool = {"replicated": {"size": 1, "requireSafeReplicaSize": False}}
    spec = {"metadataPool": pool, "dataPool": pool, "gateway": {"port": 80, "instances": 1}}
    with namespace(installed, SPACE):
        apply(installed, ceph("CephObjectStore", STORE, spec), storage_class(KEEPS, "Retain"))
        apply(installed, storage_class(DELETES, "Delete"))
        eventually(lambda: phase(installed, "cephobjectstore", ROOK, STORE), lambda found: found == "Ready")
        yield installed
        claims = installed.kubectl("get", "objectbucketclaim", f"-n={SPACE}", "-o=name").split()
        for claim in claims:
            installed.kubectl("delete", f"-n={SPACE}", claim, "--timeout=240s")
    installed.kubectl("delete", "storageclass", KEEPS, DELETES)


def ceph(kind: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": "ceph.rook.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": ROOK},
        "spec": spec,
    }


def storage_class(name: str, policy: str) -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": f"{ROOK}.ceph.rook.io/bucket",
        "reclaimPolicy": policy,
        "parameters": {"objectStoreName": STORE, "objectStoreNamespace": ROOK},
    }


def claim(lab: Lab, name: str, kept: str, **spec: object) -> None:
    apply(
        lab,
        {
            "apiVersion": "objectbucket.io/v1alpha1",
            "kind": "ObjectBucketClaim",
            "metadata": {"name": name, "namespace": SPACE},
            "spec": {"storageClassName": kept, **spec},
        },
    )


def phase(lab: Lab, kind: str, space: str, name: str) -> str:
    return str(lab.get(kind, f"-n={space}", name).get("status", {}).get("phase", ""))


def failure(lab: Lab, kind: str, name: str) -> str:
    conditions = lab.get(kind, f"-n={ROOK}", name).get("status", {}).get("conditions", ())
    return "".join(condition["message"] for condition in conditions)


def claimed(lab: Lab, name: str, kept: str, **spec: object) -> Bucket:
    """Claim a bucket and return it with its own keys."""
    claim(lab, name, kept, **spec)
    eventually(lambda: phase(lab, "objectbucketclaim", SPACE, name), lambda found: found == "Bound")
    data = lab.get("configmap", f"-n={SPACE}", name)["data"]
    assert data == {
        "BUCKET_HOST": HOST,
        "BUCKET_PORT": "80",
        "BUCKET_NAME": data["BUCKET_NAME"],
        "BUCKET_REGION": "",
        "BUCKET_SUBREGION": "",
    }
    secret = {key: b64decode(value).decode() for key, value in lab.get("secret", f"-n={SPACE}", name)["data"].items()}
    assert set(secret) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    keys = AWS4Auth(secret["AWS_ACCESS_KEY_ID"], secret["AWS_SECRET_ACCESS_KEY"], "us-east-1", "s3")
    service = lab.get("service", f"-n={ROOK}", f"rook-ceph-rgw-{STORE}")["spec"]["clusterIP"]
    return Bucket(f"http://{service}/{data['BUCKET_NAME']}", keys)


def drop(lab: Lab, name: str) -> None:
    lab.kubectl("delete", "objectbucketclaim", f"-n={SPACE}", name, "--timeout=240s")


@pytest.fixture(scope="module")
def media(store: Lab) -> Bucket:
    """A bucket that outlives its claim, and that anyone may read."""
    made = claimed(store, "media", KEEPS, bucketName="smoke-media", additionalConfig={"maxSize": "1G"})
    allow(made, "smoke-media", {"AWS": ["*"]})
    return made


def allow(made: Bucket, name: str, principal: object) -> None:
    """Let the principal read all that is in the bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{name}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    requests.put(f"{made.address}?policy=", policy, auth=made.keys, timeout=SECONDS).raise_for_status()


def test_a_claim_whose_policy_rook_cannot_read_is_not_let_go(store: Lab) -> None:
    made = claimed(store, "held", KEEPS, bucketName="smoke-held")
    allow(made, "smoke-held", "*")
    store.kubectl("delete", "objectbucketclaim", f"-n={SPACE}", "held", "--wait=false")
    held = eventually(lambda: store.get("objectbucketclaim", f"-n={SPACE}", "held"), bool)
    assert held["metadata"]["deletionTimestamp"]
    allow(made, "smoke-held", {"AWS": ["*"]})
    store.kubectl("wait", "objectbucketclaim", f"-n={SPACE}", "held", "--for=delete", "--timeout=240s")
    # Its bucket was kept, and would keep the store.
    claimed(store, "let-go", DELETES, bucketName="smoke-held")
    drop(store, "let-go")


def test_a_secret_that_was_deleted_comes_back_with_the_operator(store: Lab) -> None:
    claimed(store, "back", DELETES, bucketName="smoke-back")
    before = store.get("secret", f"-n={SPACE}", "back")["data"]
    store.kubectl("delete", "secret", f"-n={SPACE}", "back", "--wait=false")
    store.kubectl("patch", "secret", f"-n={SPACE}", "back", "--type=merge", '-p={"metadata":{"finalizers":null}}')
    assert not store.get("secret", f"-n={SPACE}", "back", "--ignore-not-found")
    assert phase(store, "objectbucketclaim", SPACE, "back") == "Bound"
    store.kubectl("rollout", "restart", f"-n={ROOK}", "deployment/rook-ceph-operator")
    back = eventually(lambda: store.get("secret", f"-n={SPACE}", "back", "--ignore-not-found"), bool, 90)
    assert back["data"] == before
    drop(store, "back")


def test_upstream_s_chart_runs_the_stand_in(installed: Lab) -> None:
    assert ready(installed, "helmrelease", ROOK, "rook-ceph")[0] == "True"
    (container,) = installed.get("deployment", f"-n={ROOK}", "rook-ceph-operator")["spec"]["template"]["spec"][
        "containers"
    ]
    assert (container["image"], container["args"]) == ("docker.io/rook/ceph:v1.20.6", ["ceph", "operator"])
    status = installed.get("cephcluster", f"-n={ROOK}", "rook-ceph")["status"]
    assert (status["phase"], status["state"], status["ceph"]["health"]) == ("Ready", "Created", "HEALTH_OK")


def test_a_store_says_where_it_is(store: Lab) -> None:
    status = store.get("cephobjectstore", f"-n={ROOK}", STORE)["status"]
    assert status["info"] == {"endpoint": f"http://{HOST}:80"}
    assert status["endpoints"]["insecure"] == [f"http://{HOST}:80"]


def test_a_claim_s_keys_put_and_get(media: Bucket) -> None:
    # Also with a policy on it, which says nothing of putting.
    assert media.put("greeting", "hello") == 200
    assert media.get("greeting") == (200, "hello")


def test_anyone_may_read_and_nobody_may_list(media: Bucket) -> None:
    assert media.put("greeting", "hello") == 200
    assert media.get("greeting", signed=False) == (200, "hello")
    assert requests.get(f"{media.address}?list-type=2", timeout=SECONDS).status_code == 403
    assert requests.put(f"{media.address}/greeting", "mine", timeout=SECONDS).status_code == 403


def test_another_claim_s_keys_are_refused(store: Lab, media: Bucket) -> None:
    other = claimed(store, "other", DELETES, generateBucketName="smoke")
    assert other.address.rpartition("/")[2].startswith("smoke-")
    stranger = Bucket(media.address, other.keys)
    assert stranger.put("greeting", "mine") == 403
    assert requests.get(f"{media.address}?list-type=2", auth=other.keys, timeout=SECONDS).status_code == 403
    assert other.put("own", "yes") == 200
    drop(store, "other")
    assert other.get("own")[0] in (403, 404)


def test_what_the_operator_does_not_allow_leaves_a_claim_pending(store: Lab) -> None:
    claim(store, "refused", DELETES, bucketName="smoke-refused", additionalConfig={"bucketLifecycle": "{}"})
    log = ("logs", f"-n={ROOK}", "deployment/rook-ceph-operator", "--tail=-1")
    eventually(
        lambda: store.kubectl(*log),
        lambda said: 'OBC config "bucketLifecycle" is not allowed' in said.replace("\\", ""),
    )
    assert phase(store, "objectbucketclaim", SPACE, "refused") == "Pending"
    drop(store, "refused")


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("CephObjectStoreUser", {"store": STORE}, "CephObjectStoreUser: this stand-in for Rook doesn't have it"),
        (
            "CephObjectStore",
            {"gateway": {"port": 80, "instances": 1, "securePort": 443}},
            'spec: this stand-in for Rook doesn\'t have everything: unknown field "gateway.securePort"',
        ),
    ],
    ids=["kind", "field"],
)
def test_what_it_does_not_have_is_refused_in_its_status(store: Lab, kind: str, spec: Object, message: str) -> None:
    apply(store, ceph(kind, "refused", spec))
    assert eventually(lambda: failure(store, kind, "refused"), bool, 30) == message
    assert phase(store, kind, ROOK, "refused") == "Failure"
    store.kubectl("delete", kind, f"-n={ROOK}", "refused", "--timeout=240s")


def test_what_was_put_outlives_its_claim_and_keeps_the_store(store: Lab, media: Bucket) -> None:
    assert media.put("kept", "yes") == 200
    drop(store, "media")
    assert media.get("kept", signed=False) == (200, "yes")
    assert media.put("kept", "no") == 403
    store.kubectl("delete", "cephobjectstore", f"-n={ROOK}", STORE, "--wait=false")
    said = eventually(lambda: failure(store, "cephobjectstore", STORE), bool)
    assert said.endswith("(could be from ObjectBucketClaims or COSI Buckets): [smoke-media]")
    again = claimed(store, "again", DELETES, bucketName="smoke-media")
    assert again.get("kept") == (200, "yes")
    drop(store, "again")
    store.kubectl("wait", "--for=delete", "cephobjectstore", f"-n={ROOK}", STORE, "--timeout=240s")
