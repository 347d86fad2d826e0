# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flux: what Git says is applied, and a release that fails says why and recovers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ...conftest import Lab
from ...integration.api.support import Cluster
from ..support import eventually
from .git_server import Repository, served
from .support import Object, apply, namespace, ready, wait_ready

SPACE = "smoke-flux"
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: greeter\nversion: 1.0.0\n",
    "chart/templates/greeting.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: greeting
data:
  text: {{ required "Tell what to greet with." .Values.text }}
""",
}


def shipped(color: str) -> dict[str, str]:
    """The files of a Kustomization with one ConfigMap."""
    return {
        "config/kustomization.yaml": "resources: [paint.yaml]\n",
        "config/paint.yaml": f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: paint}}, data: {{color: {color}}}}}\n",
    }


@pytest.fixture(scope="module")
def repository(installed: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A repository that Flux follows from a namespace of its own."""
    projects: Path = tmp_path_factory.mktemp("projects")
    repository = Repository(projects / "fleet")
    repository.commit(CHART | shipped("red"))
    with namespace(installed, SPACE), served(projects, installed.facts["machine_address"]) as url:
        apply(installed, source(f"{url}/fleet"))
        wait_ready(installed, "gitrepository", SPACE, "fleet")
        yield repository


def source(url: str) -> Object:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "fleet", "namespace": SPACE},
        "spec": {"interval": "2s", "url": url, "ref": {"branch": "main"}},
    }


def test_a_commit_is_applied(installed: Lab, repository: Repository) -> None:
    apply(
        installed,
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "fleet", "namespace": SPACE},
            "spec": {
                "interval": "1h",
                "path": "./config",
                "prune": True,
                "targetNamespace": SPACE,
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            },
        },
    )
    wait_ready(installed, "kustomization", SPACE, "fleet")
    assert installed.get("configmap", f"-n={SPACE}", "paint")["data"] == {"color": "red"}
    commit = repository.commit(shipped("green"))
    found = eventually(
        lambda: installed.get("kustomization", f"-n={SPACE}", "fleet")["status"],
        lambda status: status["lastAppliedRevision"] == f"main@sha1:{commit}",
    )
    assert {entry["id"] for entry in found["inventory"]["entries"]} == {f"{SPACE}_paint__ConfigMap"}
    assert installed.get("configmap", f"-n={SPACE}", "paint")["data"] == {"color": "green"}


@pytest.mark.usefixtures("repository")
def test_a_release_that_fails_says_why_and_recovers(installed: Lab) -> None:
    apply(installed, release({}))
    # It is also not ready while its chart is still fetched.
    said = eventually(
        lambda: ready(installed, "helmrelease", SPACE, "greeter"), lambda found: "Tell what to greet with." in found[1]
    )
    assert said[0] == "False"
    apply(installed, release({"text": "hello"}))
    wait_ready(installed, "helmrelease", SPACE, "greeter")
    assert installed.get("configmap", f"-n={SPACE}", "greeting")["data"] == {"text": "hello"}


@pytest.mark.parametrize(
    ("chart", "version", "reported"),
    [
        ("volsync", "99.0.0", "no 'volsync' chart with version matching '99.0.0' found"),
        ("none-such", "", " : 404 "),
    ],
)
def test_a_chart_that_does_not_exist_ends_a_wait_within_a_minute(
    installed: Lab, chart: str, version: str, reported: str
) -> None:
    space = f"{SPACE}-{chart}"
    cluster = Cluster.of(installed.facts["kubeconfig"], space)
    began = time.monotonic()
    with namespace(installed, space):
        applied = cluster.apply(*from_a_repository(installed, space, chart, version), wait_timeout=600)
    assert reported in applied.result["msg"]
    assert "Check " in applied.result["msg"]
    assert "; Pod " not in applied.result["msg"]
    assert time.monotonic() - began < 60


def from_a_repository(lab: Lab, space: str, chart: str, version: str) -> list[Object]:
    """A release and the repository that it comes from."""
    metadata = {"name": chart, "namespace": space}
    source_ref = {"kind": "HelmRepository", "name": chart}
    wanted = {"chart": chart, "sourceRef": source_ref, **({"version": version} if version else {})}
    return [
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": metadata,
            "spec": {"interval": "1h", "url": f"{lab.facts['mirror']}/charts/{chart}"},
        },
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": metadata,
            "spec": {"interval": "1h", "chart": {"spec": wanted}},
        },
    ]


def release(values: dict[str, Any]) -> Object:
    source_ref = {"kind": "GitRepository", "name": "fleet"}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "greeter", "namespace": SPACE},
        "spec": {
            "interval": "1h",
            "chart": {"spec": {"chart": "./chart", "sourceRef": source_ref}},
            "values": values,
        },
    }
