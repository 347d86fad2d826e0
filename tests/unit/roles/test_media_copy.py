# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What copies media to a second place: no rights, no way but to the two stores, and no key but in its environment."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import Site

NAME = "mastodon-media-copy"
ON = {"rook_copy_endpoint": "https://s3.example.net", "rook_copy_bucket": "copy"}
CLAIMED = {
    "rook_backend": "rook",
    "rook_storage": {"deviceFilter": "^sdb$"},
    "gateway_media_hostname": "media.example.org",
}


def copy(**settings: Any) -> dict[str, Any]:
    """Return its objects."""
    found = Site(**{**ON, **settings}).objects("rook")
    return {name: item for name, item in found.items() if name.endswith(NAME)}


def job(**settings: Any) -> dict[str, Any]:
    spec: dict[str, Any] = copy(**settings)[f"CronJob {NAME}"]["spec"]["jobTemplate"]["spec"]
    return spec


def container(**settings: Any) -> dict[str, Any]:
    (found,) = job(**settings)["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(**settings: Any) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in container(**settings)["env"]}


def egress(**settings: Any) -> list[Any]:
    (_dns, *stores) = copy(**settings)[f"NetworkPolicy {NAME}"]["spec"]["egress"]
    return stores


def test_it_is_there_only_where_it_is_asked_for() -> None:
    assert copy(rook_copy_endpoint="") == {}
    wanted = [f"{kind} {NAME}" for kind in ("ConfigMap", "CronJob", "ExternalSecret", "NetworkPolicy")]
    assert sorted(copy()) == sorted(copy(**CLAIMED)) == wanted
    assert f"NetworkPolicy {NAME}" not in copy(mastodon_network_policies=False)


@pytest.mark.parametrize("settings", [{}, CLAIMED])
def test_it_is_applied_with_the_bucket_whose_keys_it_reads(settings: dict[str, Any]) -> None:
    site = Site(**ON, **settings, rook_claim_namespace="media")
    applied = next(task for task in site.tasks("rook", "bucket.yml").values() if "fediverse.mastodon.apply" in task)
    options = applied["fediverse.mastodon.apply"]
    assert "ExternalSecret" in [one["kind"] for one in options["kinds"]]
    assert {item["metadata"]["namespace"] for item in applied["applies"] if item["kind"] == "CronJob"} == {"media"}


def test_its_keys_are_those_of_the_two_stores_and_stand_nowhere_but_in_secrets() -> None:
    found = environment()
    for store, secret in (("SOURCE", "mastodon-s3"), ("COPY", NAME)):
        for half in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            assert found[f"RCLONE_CONFIG_{store}_{half}"] == {"secretKeyRef": {"name": secret, "key": f"AWS_{half}"}}
    assert found["RCLONE_CONFIG"] == ""
    path = copy(rook_copy_vault_path="shared/copy")[f"ExternalSecret {NAME}"]["spec"]["data"]
    assert {(one["remoteRef"]["key"], one["remoteRef"]["property"]) for one in path} == {
        ("shared/copy", "access-key-id"),
        ("shared/copy", "secret-access-key"),
    }


def test_each_store_is_asked_at_its_own_address_and_a_bucket_is_never_created() -> None:
    found = environment(rook_copy_region="eu-central-1")
    assert (found["SOURCE"], found["COPY"]) == ("source:mastodon", "copy:copy")
    assert found["RCLONE_CONFIG_SOURCE_ENDPOINT"] == "https://s3.example.org"
    assert found["RCLONE_CONFIG_COPY_ENDPOINT"] == "https://s3.example.net"
    assert found["RCLONE_CONFIG_COPY_REGION"] == "eu-central-1"
    assert found["RCLONE_CONFIG_SOURCE_NO_CHECK_BUCKET"] == found["RCLONE_CONFIG_COPY_NO_CHECK_BUCKET"] == "true"
    assert environment(**CLAIMED)["RCLONE_CONFIG_SOURCE_ENDPOINT"] == "http://rook-ceph-rgw-media.rook-ceph.svc"


def test_its_pod_has_no_rights_and_writes_nothing_but_its_scratch() -> None:
    pod = job()["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    written = [one["name"] for one in container()["volumeMounts"] if not one.get("readOnly")]
    assert [one for one in pod["volumes"] if one["name"] in written] == [{"name": "work", "emptyDir": {}}]


def test_one_runs_at_a_time_and_one_that_failed_is_not_tried_with_another_sample() -> None:
    spec = copy(rook_copy_schedule="5 * * * *")[f"CronJob {NAME}"]["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("5 * * * *", "Forbid")
    assert job()["backoffLimit"] == 0
    assert job()["template"]["spec"]["restartPolicy"] == "Never"
    # But goes on elsewhere when its node is drained.
    assert job()["podFailurePolicy"] == {
        "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    }


@pytest.mark.parametrize(
    ("settings", "memory"),
    [
        ({"mastodon_size": "minimal"}, "256Mi"),
        ({"mastodon_size": "large"}, "4096Mi"),
        ({"rook_copy_memory": "6Gi"}, "6Gi"),
    ],
)
def test_its_memory_follows_the_size(settings: dict[str, Any], memory: str) -> None:
    assert container(**settings)["resources"]["limits"] == {"memory": memory}


def test_only_the_two_stores_can_be_reached_and_nobody_reaches_it() -> None:
    policy = copy()[f"NetworkPolicy {NAME}"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert policy["podSelector"]["matchLabels"] == job()["template"]["metadata"]["labels"]
    https = {"ports": [{"port": 443, "protocol": "TCP"}]}
    assert egress() == [https, https]
    assert egress(rook_copy_endpoint="http://s3.example.net:9000")[1] == {"ports": [{"port": 9000, "protocol": "TCP"}]}
    assert egress(**CLAIMED)[0] == {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "rook-ceph"}}}]
    }


def test_its_pods_are_none_of_the_release() -> None:
    assert job()["template"]["metadata"]["labels"]["app.kubernetes.io/name"] != "mastodon"


def test_its_image_is_pinned() -> None:
    assert re.fullmatch(r"docker\.io/rclone/rclone:\d+\.\d+\.\d+", container()["image"])


def asked_by_the_doctor(**settings: Any) -> dict[str, Any]:
    tasks = Site(**settings).tasks("doctor", "preconditions.yml").values()
    (options,) = (
        task["fediverse.mastodon.preconditions"] for task in tasks if "fediverse.mastodon.preconditions" in task
    )
    assert isinstance(options, dict)
    return options


def test_the_doctor_asks_when_it_was_complete_and_whether_it_is_lost_with_what_it_is_of() -> None:
    asked = asked_by_the_doctor(**ON, rook_claim_namespace="media", mastodon_alerts_copy_hours=200)
    assert asked["media_copy"] == {"namespace": "media", "name": NAME, "hours": 200}
    (place,) = (one for one in asked["backups"] if one["what"] == "media")
    assert (place["endpoint"], place["media_endpoint"]) == ("https://s3.example.net", "https://s3.example.org")
    without = asked_by_the_doctor()
    assert "media_copy" not in without
    assert [one for one in without["backups"] if one["what"] == "media"] == []
