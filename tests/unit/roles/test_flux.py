# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role flux asks of flux-operator, and what it takes away from its manifest."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .conftest import Site

TO_EDIT, TO_ADMIN = (f"rbac.authorization.k8s.io/aggregate-to-{role}" for role in ("edit", "admin"))


def instance(**settings: Any) -> dict[str, Any]:
    spec: dict[str, Any] = Site(**settings).objects("flux")["FluxInstance flux"]["spec"]
    return spec


def manifest(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = Site(**settings).value("flux_manifest")
    return found


def test_who_edits_a_namespace_gets_no_rights_over_flux_whose_controllers_are_cluster_admin() -> None:
    (patch,) = instance()["kustomize"]["patches"]
    assert patch["target"] == {"kind": "ClusterRole", "labelSelector": f"{TO_EDIT}=true"}
    assert yaml.safe_load(patch["patch"])["metadata"]["labels"] == {TO_EDIT: "false", TO_ADMIN: "false"}
    assert manifest()["without_labels"] == [TO_EDIT, TO_ADMIN]


def test_patches_of_ones_own_come_after_it() -> None:
    mine = {"target": {"kind": "Deployment"}, "patch": "[]"}
    patches = instance(flux_instance_extra={"kustomize": {"patches": [mine]}, "wait": False})["kustomize"]["patches"]
    assert [patch["target"]["kind"] for patch in patches] == ["ClusterRole", "Deployment"]
    assert instance(flux_instance_extra={"wait": False})["wait"] is False
    for nothing in (None, {}, {"patches": None}):
        assert len(instance(flux_instance_extra={"kustomize": nothing})["kustomize"]["patches"]) == 1


def test_what_runs_as_cluster_admin_is_pinned_exactly() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", instance()["distribution"]["version"])
    assert re.fullmatch(r"[0-9a-f]{64}", manifest()["checksum"])
    assert re.search(r"/v\d+\.\d+\.\d+/install\.yaml$", manifest()["url"])


def test_a_mirror_serves_the_same_file_or_its_own_checksum_is_given() -> None:
    mirrored = manifest(flux_operator_manifest="https://mirror.example.org/flux.yaml")
    assert mirrored["checksum"] == manifest()["checksum"]
    assert "checksum" not in manifest(flux_operator_manifest_checksum="")
