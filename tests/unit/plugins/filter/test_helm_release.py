# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.filter.helm_release import FilterModule, helm_release


def release(**more: Any) -> list[dict[str, Any]]:
    options = {"namespace": "ns", "repository": "https://charts.example", "version": "1.2.3", **more}
    return helm_release("app", **options)


def test_names_the_three_objects_in_the_order_they_are_needed() -> None:
    assert [(o["kind"], o["metadata"]["name"]) for o in release()] == [
        ("Namespace", "ns"),
        ("HelmRepository", "app"),
        ("HelmRelease", "app"),
    ]


def test_a_failed_step_is_tried_again_and_never_rolled_back() -> None:
    spec = release()[2]["spec"]
    for step in ("install", "upgrade"):
        assert spec[step]["strategy"]["name"] == "RetryOnFailure"
        assert "remediation" not in spec[step]


@pytest.mark.parametrize(
    ("repository", "kind"), [("oci://r.example/charts", "oci"), ("https://r.example", None), ("http://r", None)]
)
def test_oci_repositories_are_marked_as_such(repository: str, kind: str | None) -> None:
    objects = helm_release("app", namespace="ns", repository=repository, version="1")
    assert objects[1]["spec"].get("type") == kind


def test_a_version_that_yaml_read_as_a_number_stays_a_string() -> None:
    assert release(version=1.2)[2]["spec"]["chart"]["spec"]["version"] == "1.2"


def test_values_and_annotations_are_left_out_when_empty() -> None:
    plain = release()[2]
    assert "values" not in plain["spec"]
    assert "annotations" not in plain["metadata"]
    full = release(values={"a": 1}, annotations={"k": "v"}, chart="other", timeout="30m")[2]
    assert full["spec"]["values"] == {"a": 1}
    assert full["spec"]["timeout"] == "30m"
    assert full["spec"]["chart"]["spec"]["chart"] == "other"
    assert full["metadata"]["annotations"] == {"k": "v"}


def test_patches_are_written_as_texts_that_kustomize_reads() -> None:
    target = {"kind": "Deployment", "name": "app"}
    [rendered] = release(patches=[{"target": target, "patch": [{"op": "remove", "path": "/spec/replicas"}]}])[2][
        "spec"
    ]["postRenderers"]
    assert rendered == {
        "kustomize": {"patches": [{"target": target, "patch": '[{"op": "remove", "path": "/spec/replicas"}]'}]}
    }
    assert "postRenderers" not in release()[2]["spec"]


def test_is_offered_to_ansible() -> None:
    assert FilterModule().filters() == {"helm_release": helm_release}
