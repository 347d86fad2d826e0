# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was built is of the versions that lab/status says, and what the pins bring is what upstream's releases say."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mastodon_lab.build import components, plan, rootfs, tools
from mastodon_lab.build.components import COMPONENTS, Component
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE
from mastodon_lab.pins import PINNED

ROWS = {row.name: row for row in PINNED}
BUILT = [one for one in COMPONENTS if one.name in ROWS]
PACKAGES = {
    "PostgreSQL": plan.POSTGRESQL,
    "PgBouncer": "pgbouncer",
    "Barman": "barman-cli-cloud",
    "restic": "restic",
}
BROUGHT = [
    *(
        (f"Flux {name}", components.FLUX_OPERATOR, f"config/data/flux/v{ROWS['Flux'].brings}/{name}.yaml", f"/{name}:")
        for name in ("source-controller", "kustomize-controller", "helm-controller", "notification-controller")
    ),
    ("PgBouncer", components.CLOUDNATIVE_PG, "pkg/versions/versions.go", "/pgbouncer:"),
    ("Barman", components.BARMAN_CLOUD, "containers/sidecar-requirements.txt", "\nbarman=="),
    ("restic", components.VOLSYNC, "mover-restic/SOURCE_VERSIONS", "/restic.git v"),
]


@pytest.fixture(scope="module")
def store() -> Store:
    return Store(Path(os.environ.get("LAB_CACHE") or CACHE))


@pytest.fixture(scope="module")
def go(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Go]:
    log = tmp_path_factory.mktemp("go") / "log"
    with store.locked(print):
        yield Go(tools.install(store, log).go, store, log)


def modules(go: Go, program: Path) -> dict[str, str]:
    """Return the modules that a program was linked of, with their versions."""
    said = subprocess.run([go.program, "version", "-m", program], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"(?m)^\t(?:mod|dep)\t(\S+)\t(v\S+)", said))


def module_of(component: Component, names: set[str]) -> str:
    """Return the module of its main program, and where that is ours the one that gets its version when it is linked."""
    paths = [f"{path}/" for path in (*component.binaries.values(), *component.stamps)]
    return next(
        max(found, key=len) for path in paths if (found := [name for name in names if path.startswith(f"{name}/")])
    )


@pytest.mark.parametrize("component", BUILT, ids=lambda component: component.name)
def test_a_program_was_built_of_the_version_that_its_row_says(go: Go, component: Component) -> None:
    (program,) = go.build(component).values()
    # A main program of ours has no version.
    linked = {name: version for name, version in modules(go, program).items() if version != "v0.0.0"}
    assert linked[module_of(component, {*linked})] == ROWS[component.name].here


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_of_the_version_that_its_row_says(store: Store, tmp_path: Path, name: str) -> None:
    layer = plan.databases(store, tmp_path / "log")
    assert f"{rootfs.package_version(layer, PACKAGES[name])}.".startswith(f"{ROWS[name].here}.")


@pytest.mark.parametrize(("name", "component", "file", "before"), BROUGHT, ids=[one[0] for one in BROUGHT])
def test_a_pin_brings_what_the_release_says(go: Go, name: str, component: Component, file: str, before: str) -> None:
    (package,) = component.binaries.values()
    module = re.sub(r"/cmd\b.*", "", package)
    text = (go.module(module, component.version) / file).read_text()
    assert set(re.findall(rf"{re.escape(before)}(v?\d[\w.]*)", text)) == {ROWS[name].brings}
