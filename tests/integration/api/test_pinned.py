# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles apply, judged by the kinds of the operators' pinned versions, also where the lab runs another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.kinds import Judge, read
from ansible_collections.fediverse.mastodon.tests.integration.api.published import (
    EXTERNAL_SECRETS,
    NEAREST_EXTERNAL_SECRETS,
    PUBLISHED,
    Module,
    kinds,
    stand_in_for_dragonfly,
    unknown,
)
from ansible_collections.fediverse.mastodon.tests.integration.api.rook import GROUPS as ROOK
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site
from ansible_collections.fediverse.mastodon.tests.unit.roles.sites import applied, kind, written_kinds

SITES = ("everything", "a private authority", "no key for DNS", "Flux as well")
# Whoever monitors the cluster brings them, in a version that no role pins.
OTHERS = {"monitoring.coreos.com"}
KUBERNETES = (
    "admissionregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
)


@cache
def all_kinds() -> Set[tuple[str, str]]:
    return {kind(item) for name in SITES for item in applied(name)}


@pytest.fixture(scope="module", params=PUBLISHED)
def judge(
    request: pytest.FixtureRequest, kubeconfig: str, kubectl: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("kinds")
    with Judge.of(kinds(request.param, all_kinds(), folder / "go.log"), kubeconfig, kubectl, folder) as made:
        yield made


def judged(judge: Judge) -> list[dict[str, Any]]:
    """Return what the roles apply of these kinds, in a namespace that is there."""
    scopes = judge.kinds.scopes
    return [
        {**item, "metadata": {**item["metadata"], "namespace": "default"}}
        if scopes[kind(item)] == "Namespaced"
        else dict(item)
        for name in SITES
        for item in applied(name)
        if kind(item) in scopes
    ]


def test_the_pinned_version_takes_what_the_roles_apply(judge: Judge) -> None:
    assert judge.refusal(judged(judge)) == ""


def test_the_pinned_version_refuses_a_field_that_it_does_not_have(judge: Judge) -> None:
    item = judged(judge)[0]
    assert "spec.nobodys: field not declared in schema" in judge.refusal(
        [{**item, "spec": {**item["spec"], "nobodys": 1}}]
    )


# Kubernetes' own types, of which the stand-in's CRD takes any field: its operator refuses those that they have not.
OPEN = "x-kubernetes-preserve-unknown-fields"


def wider(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield where a schema takes what another one refuses, apart from what it leaves to others to refuse."""
    for key in theirs.keys() - {"description", "properties", "items", "additionalProperties"}:
        if ours.get(key) != theirs[key]:
            yield f"{path}: {key} is {ours.get(key)} and not {theirs[key]}"
    for name, field in ours.get("properties", {}).items():
        if name in theirs.get("properties", {}):
            yield from wider(field, theirs["properties"][name], f"{path}.{name}")
        elif OPEN not in theirs:
            yield f"{path}.{name}: there is no such field"
    for below in ("items", "additionalProperties"):
        if below in ours or below in theirs:
            yield from wider(ours.get(below, {}), theirs.get(below, {}), f"{path}[]")


def schema(crd: Mapping[str, Any]) -> dict[str, Any]:
    (version,) = crd["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def test_the_stand_in_for_dragonfly_takes_no_field_that_upstream_s_does_not(tmp_path: Path) -> None:
    (theirs,) = kinds("dragonfly", {("dragonflydb.io", "Dragonfly")}, tmp_path / "log").crds
    ours = stand_in_for_dragonfly(tmp_path / "log")
    assert [*wider(schema(ours), schema(theirs))] == []


def test_the_nearest_external_secrets_has_every_value_that_the_role_sets(tmp_path: Path) -> None:
    chart = Module(EXTERNAL_SECRETS, NEAREST_EXTERNAL_SECRETS, "deploy/charts/external-secrets/values.yaml")
    (values,) = read(*chart.texts(tmp_path / "log"))
    assert [*unknown(Site().value("external_secrets_base_values"), values)] == []
    assert [*unknown({"crds": {"nobodys": 1}}, values)] == ["crds.nobodys"]


def test_every_kind_of_an_operator_is_judged() -> None:
    known = {group for _where, groups in PUBLISHED.values() for group in groups}
    assert {group for group, _kind in all_kinds()} == known | {*ROOK} | OTHERS | {"", *KUBERNETES}
    assert written_kinds() <= {name for _group, name in all_kinds()}
