# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from mastodon_lab import versions
from mastodon_lab.build.components import (
    CLUSTER,
    COMPONENTS,
    CONTROLLERS,
    KIND_TOOLS,
    PATCHES,
    PROMETHEUS_TOOLS,
    RCLONE,
    RCLONE_TOOLS,
    ROOK_MODULE,
    ROOK_PATCHES,
    STAND_INS,
    Component,
    Patch,
)
from mastodon_lab.build.golang import (
    KIND_MODULE,
    MODULES,
    PROMETHEUS_MODULE,
    RCLONE_MODULE,
    STAND_INS_MODULE,
    workspace_of,
)

GO_MOD = {
    **{
        module: (workspace_of(module).modules / module / "go.mod").read_text()
        for module in (CLUSTER, CONTROLLERS, ROOK_MODULE)
    },
    STAND_INS: (STAND_INS_MODULE / "go.mod").read_text(),
    KIND_TOOLS: (KIND_MODULE / "go.mod").read_text(),
    PROMETHEUS_TOOLS: (PROMETHEUS_MODULE / "go.mod").read_text(),
    RCLONE_TOOLS: (RCLONE_MODULE / "go.mod").read_text(),
}
PUBLISHED = [component for component in COMPONENTS if component.module != STAND_INS]


def required(module: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^(?:\t|require )(\S+) (v\S+)(?: // indirect)?$", GO_MOD[module]))


def module_of(component: Component, package: str) -> str:
    return max((name for name in required(component.module) if f"{package}/".startswith(f"{name}/")), key=len)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_every_package_is_a_tool_of_its_module(component: Component) -> None:
    for package in component.binaries.values():
        assert re.search(rf"(?m)^(\t|tool ){re.escape(package)}$", GO_MOD[component.module])


@pytest.mark.parametrize("component", PUBLISHED, ids=lambda component: component.name)
def test_versions_are_those_of_go_mod(component: Component) -> None:
    for package in component.binaries.values():
        # cert-manager's and rclone's main programs are ours.
        if component is RCLONE:
            assert required(RCLONE_TOOLS)["github.com/rclone/rclone"] == component.version
        elif not package.endswith("/cmd/lab"):
            assert required(component.module)[module_of(component, package)] == component.version


def test_what_stand_ins_share_with_controllers_is_compiled_once() -> None:
    controllers = required(CONTROLLERS)
    own = {name: version for name, version in required(STAND_INS).items() if controllers.get(name, version) != version}
    assert own == {}
    assert "sigs.k8s.io/controller-runtime" in required(STAND_INS)


def test_kubeadm_has_the_libraries_of_the_cluster() -> None:
    cluster = required(CLUSTER)
    assert {name for name, version in required(KIND_TOOLS).items() if cluster.get(name, version) != version} == set()
    replaced = re.compile(r"(?m)^\t(\S+) => \S+ \S+$")
    assert replaced.findall(GO_MOD[KIND_TOOLS]) == replaced.findall(GO_MOD[CLUSTER])
    assert len(replaced.findall(GO_MOD[KIND_TOOLS])) > 30


def test_kubernetes_libraries_are_kubernetes_own() -> None:
    libraries = re.findall(r"(?m)^\tk8s\.io/\S+ => k8s\.io/\S+ v0\.(\S+)$", GO_MOD[CLUSTER])
    assert {f"v1.{version}" for version in libraries} == {versions.KUBERNETES}


@pytest.mark.parametrize(
    ("module", "patch"),
    [*((CONTROLLERS, patch) for patch in PATCHES), *((ROOK_MODULE, patch) for patch in ROOK_PATCHES)],
    ids=lambda value: getattr(value, "folder", None),
)
def test_every_patched_module_is_replaced_by_its_copy(module: str, patch: Patch) -> None:
    replaced = rf"(?m)^(\t|replace ){re.escape(patch.module)} => \.\./src/{patch.folder}$"
    assert re.search(replaced, GO_MOD[module])
    assert required(module).get(patch.module, patch.version) == patch.version


def test_what_go_s_own_database_of_checksums_lacks_is_pinned() -> None:
    pinned = (workspace_of(ROOK_MODULE).modules / ROOK_MODULE / "go.sum").read_text()
    for module, version in (("rook", versions.ROOK), ("rook/pkg/apis", versions.ROOK_APIS)):
        assert re.search(rf"(?m)^github\.com/rook/{module} {version} h1:\S{{44}}$", pinned)


def test_every_overlay_belongs_to_a_patch() -> None:
    assert {path.name for path in (MODULES / "overlay").iterdir()} <= {patch.folder for patch in PATCHES}


def test_gateway_api_is_what_controllers_are_built_with() -> None:
    assert required(CONTROLLERS)["sigs.k8s.io/gateway-api"] == versions.GATEWAY_API


def test_programs_have_names_of_their_own() -> None:
    names = [name for component in COMPONENTS for name in component.binaries]
    assert len(names) == len(set(names))
