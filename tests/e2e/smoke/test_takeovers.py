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
def neighbour(laid_down: Lab) -> Iterator[Neighbour]:
    with namespace(laid_down, SPACE):
        apply(laid_down, *(may(role) for role in ("edit", "admin")))
        yield Neighbour(laid_down)


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
