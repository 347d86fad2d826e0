# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers that others installed: found by their images, and refused when they stand still or are too old."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.adopted import (
    Controller,
    checks,
    verify,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError

CNPG = Controller("CloudNativePG", "cloudnative-pg", (1, 26))
IMAGE = "ghcr.io/cloudnative-pg/cloudnative-pg"


def deployment(
    image: str, available: int = 1, *, replicas: int = 1, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "controller", "namespace": "cnpg-system", "generation": 1, "labels": labels or {}},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "manager", "image": image}]}}},
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": available,
        },
    }


def api(read: Callable[[object], Any]) -> Any:
    return SimpleNamespace(read=read)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        (f"{IMAGE}:1.30.0", "1.30.0"),
        (f"{IMAGE}:v1.26.1@sha256:abc", "v1.26.1"),
        ("registry.local:5000/mirror/cloudnative-pg:1.27", "1.27"),
        ("cloudnative-pg:1.27", "1.27"),
        ("registry.local:5000/cloudnative-pg", "of an unknown version"),
        (f"{IMAGE}@sha256:abc", "of an unknown version"),
        (f"{IMAGE}:latest", "latest"),
    ],
)
def test_a_controller_that_runs_is_reported_with_its_version(image: str, version: str) -> None:
    reported = verify(CNPG, [deployment("docker.io/other:1"), deployment(image)])
    assert reported == f"CloudNativePG: {version} runs in Deployment cnpg-system/controller"


def test_an_image_without_a_tag_has_the_version_of_its_label() -> None:
    labels = {"app.kubernetes.io/version": "1.28.0"}
    assert "1.28.0 runs" in verify(CNPG, [deployment(f"{IMAGE}@sha256:abc", labels=labels)])
    with pytest.raises(MastodonError, match="too old"):
        verify(CNPG, [deployment(f"{IMAGE}@sha256:abc", labels={"app.kubernetes.io/version": "1.25.9"})])


@pytest.mark.parametrize(
    ("found", "reported"),
    [
        (
            deployment(f"{IMAGE}:1.9.4"),
            "Deployment cnpg-system/controller: CloudNativePG is too old: it is 1.9.4. Upgrade it to 1.26 or newer.",
        ),
        (
            deployment(f"{IMAGE}:1.30.0", available=0),
            "Deployment cnpg-system/controller: CloudNativePG does not run: 0 of 1 pods available. "
            "Check its pods: kubectl describe deployment controller -n cnpg-system.",
        ),
        (
            deployment(f"{IMAGE}:1.30.0", available=0, replicas=0),
            "Deployment cnpg-system/controller: CloudNativePG does not run: it is scaled to zero replicas. "
            "Scale it up: kubectl scale deployment controller -n cnpg-system --replicas=1.",
        ),
    ],
)
def test_one_that_cannot_do_its_work_is_refused(found: dict[str, Any], reported: str) -> None:
    with pytest.raises(MastodonError) as refused:
        verify(CNPG, [found])
    assert str(refused.value) == reported


@pytest.mark.parametrize("image", ["ghcr.io/other/pg:1", "ghcr.io/my-cloudnative-pg:1", f"{IMAGE}-tools:1"])
def test_one_that_is_not_found_is_reported_as_such(image: str) -> None:
    with pytest.raises(SkippedError, match="no Deployment has an image called cloudnative-pg"):
        verify(CNPG, [deployment(image)])


FLUX = [
    {"name": "Flux's source-controller", "image": "source-controller", "oldest": "1.3"},
    {"name": "Flux's helm-controller", "image": "helm-controller", "oldest": "1.5"},
]
ROOK = {"name": "Rook", "image": "rook/ceph", "oldest": None}


def test_only_controllers_that_are_adopted_are_looked_at() -> None:
    def nobody(_selection: object) -> Any:
        raise AssertionError("nothing needs to be asked")

    assert list(checks([], api(nobody))) == []
    listing = SimpleNamespace(objects=(deployment("ghcr.io/fluxcd/helm-controller:v1.6.0"),))
    found = [find(check) for check in checks(FLUX, api(lambda _one: listing))]
    assert [finding.state for finding in found] == ["skipped", "ok"]


@pytest.mark.parametrize(("version", "state"), [("v1.4.5", "failed"), ("v1.5.0", "ok")])
def test_one_that_is_older_than_the_option_says_is_refused(version: str, state: str) -> None:
    listing = SimpleNamespace(objects=(deployment(f"ghcr.io/fluxcd/helm-controller:{version}"),))
    *_others, found = [find(check) for check in checks(FLUX, api(lambda _one: listing))]
    assert found.state == state


@pytest.mark.parametrize("version", ["v0.1.0", "v9.9.9"])
def test_without_an_oldest_release_each_will_do(version: str) -> None:
    listing = SimpleNamespace(objects=(deployment(f"docker.io/rook/ceph:{version}"),))
    (found,) = [find(check) for check in checks([ROOK], api(lambda _one: listing))]
    assert found.state == "ok"


def test_who_may_not_list_deployments_learns_that_nobody_looked() -> None:
    def forbidden(_selection: object) -> Any:
        raise ApiError("Deployment", "may not be listed", "", "", status=403)

    (found,) = [find(check) for check in checks([ROOK], api(forbidden))]
    assert found.state == "skipped"
    assert "you may not list Deployments" in found.text


def test_a_server_that_does_not_answer_is_asked_once_and_fails_each() -> None:
    asked = []

    def unreachable(selection: object) -> Any:
        asked.append(selection)
        raise MastodonError("API server https://192.0.2.1", "cannot be reached")

    found = [find(check) for check in checks(FLUX, api(unreachable))]
    assert [finding.text for finding in found] == ["API server https://192.0.2.1: cannot be reached."] * 2
    assert len(asked) == 1


@pytest.mark.parametrize("oldest", ["newest", "1", "1,26"])
def test_an_oldest_release_that_is_none_is_refused(oldest: str) -> None:
    listing = SimpleNamespace(objects=(deployment("docker.io/rook/ceph:v1.16.0"),))
    (found,) = [find(check) for check in checks([{**ROOK, "oldest": oldest}], api(lambda _one: listing))]
    assert found.state == "failed"
    assert f"Option adopted of Rook: wrong oldest release: {oldest} is not a version." in found.text


def test_an_oldest_release_may_be_written_as_upstream_tags_it() -> None:
    listing = SimpleNamespace(objects=(deployment("docker.io/rook/ceph:v1.15.9"),))
    (found,) = [find(check) for check in checks([{**ROOK, "oldest": "v1.16"}], api(lambda _one: listing))]
    assert "too old" in found.text
