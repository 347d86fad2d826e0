# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rook and Ceph, installed by site.yml: claims get buckets that are theirs alone, and what they hold outlives them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..bucket import PROBE, SECRET_PROBE
from ..bucket import address as bucket
from ..support import eventually
from .support import Object, apply, namespace, ready

SPACE = "smoke-rook"
ROOK = "rook-ceph"
STORE = "media"
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
    """The lab with a namespace to claim buckets of its object store in."""
    with namespace(installed, SPACE):
        apply(installed, storage_class(KEEPS, "Retain"), storage_class(DELETES, "Delete"))
        yield installed
        claims = installed.kubectl("get", "objectbucketclaim", f"-n={SPACE}", "-o=name").split()
        for claim in claims:
            installed.kubectl("delete", f"-n={SPACE}", claim, "--timeout=240s")
    installed.kubectl("delete", "storageclass", KEEPS, DELETES)


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


def test_upstream_s_operator_runs_a_ceph(installed: Lab) -> None:
    assert ready(installed, "helmrelease", ROOK, "rook-ceph")[0] == "True"
    (container,) = installed.get("deployment", f"-n={ROOK}", "rook-ceph-operator")["spec"]["template"]["spec"][
        "containers"
    ]
    assert (container["image"], container["args"]) == ("docker.io/rook/ceph:v1.16.0", ["ceph", "operator"])
    status = installed.get("cephcluster", f"-n={ROOK}", "rook-ceph")["status"]
    assert (status["phase"], status["state"]) == ("Ready", "Created")
    assert status["version"] == {"image": "quay.io/ceph/ceph:v18.2.7", "version": "18.2.7-0"}
    assert [item["name"] for item in status["storage"]["deviceClasses"]] == ["hdd"]


def test_media_are_read_by_acls_and_what_is_private_stays_so(installed: Lab) -> None:
    assert "additionalConfig" not in installed.get("objectbucketclaim", "-n=mastodon", "mastodon-s3")["spec"]
    address = bucket(installed)
    assert requests.get(f"{address}/{PROBE}", timeout=SECONDS).status_code == 200
    assert requests.get(f"{address}/{SECRET_PROBE}", timeout=SECONDS).status_code == 403
    assert requests.get(f"{address}?list-type=2", timeout=SECONDS).status_code == 403
    assert requests.put(f"{address}/{PROBE}", b"mine", timeout=SECONDS).status_code == 403


def test_a_store_says_where_it_is(store: Lab) -> None:
    status = store.get("cephobjectstore", f"-n={ROOK}", STORE)["status"]
    assert status["info"]["endpoint"] == f"http://{HOST}:80"
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


def test_what_was_put_outlives_its_claim(store: Lab, media: Bucket) -> None:
    assert media.put("kept", "yes") == 200
    drop(store, "media")
    assert media.get("kept", signed=False) == (200, "yes")
    assert media.put("kept", "no") == 403


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
    assert requests.get(f"{bucket(store)}/{PROBE}", timeout=SECONDS).status_code == 200
