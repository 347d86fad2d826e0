# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build Go programs.

There are two modules, whose go.mod and go.sum pin everything: go/cluster has Kubernetes with its dependencies as upstream
selects them, go/controllers has all that runs on it, so that Go selects one version of each dependency for all and
compiles it once. go_rook/rook has Rook, an older release, with the dependencies that it was written for.
`python3 -m mastodon_lab.build.relock` renews them.

Another one, ../stand_ins, is our own programs. It asks for the same versions as go/controllers and is built where it is,
so that a change to it lets nothing else be built again. So is kind_tools, which has what makes a kind cluster and asks
for the same versions as go/cluster, and prometheus_tools, which has what tests alerts, as go/controllers where Prometheus
takes them, and rclone_tools, which has what copies media.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.command import run
from mastodon_lab.build.components import (
    CLUSTER,
    CONTROLLERS,
    KIND_TOOLS,
    PATCHES,
    PROMETHEUS_TOOLS,
    RCLONE_TOOLS,
    ROOK_MODULE,
    ROOK_PATCHES,
    STAND_INS,
    Component,
    Patch,
)
from mastodon_lab.build.store import Store, files_below, key, tree_key

MODULES = Path(__file__).parent / "go"
STAND_INS_MODULE = Path(__file__).parents[2] / "stand_ins"
KIND_MODULE = Path(__file__).parent / "kind_tools"
PROMETHEUS_MODULE = Path(__file__).parent / "prometheus_tools"
RCLONE_MODULE = Path(__file__).parent / "rclone_tools"
ROOK_MODULES = MODULES.with_name("go_rook")
ADVICE = "Check that this machine reaches its Go module proxy, then run this again; the whole output is in {log}."


@dataclass(frozen=True)
class Workspace:
    """Modules that are built beside copies of those that they patch. A change to one lets no other be built again."""

    name: str
    modules: Path
    patches: tuple[Patch, ...]

    @property
    def made_from(self) -> str:
        return key(tree_key(self.modules), repr(self.patches))


def workspace_of(module: str) -> Workspace:
    """Where a module is built."""
    if module == ROOK_MODULE:
        return Workspace("go-rook", ROOK_MODULES, ROOK_PATCHES)
    return Workspace("go", MODULES, PATCHES)


class Go:
    """The Go toolchain with its caches below the store."""

    def __init__(self, program: Path, store: Store, log: Path) -> None:
        self.program = program
        self.log = log
        self._store = store
        self._modules = store.root / "go/mod"
        self._caches = {"GOMODCACHE": str(self._modules), "GOCACHE": str(store.root / "go/build")}

    def run(self, what: str, *arguments: str | Path, cwd: Path) -> None:
        """Run `go` with nothing of the user's Go settings but where modules come from."""
        fixed = {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "GOENV": "off", "CGO_ENABLED": "0"}
        run(
            what,
            [self.program, *arguments],
            self.log,
            cwd=cwd,
            environment={**self._caches, **fixed},
            advice=ADVICE.format(log=self.log),
        )

    def module(self, module: str, version: str, pins: Path = MODULES / CLUSTER) -> Path:
        """The folder of a module's published files, which are read-only; fetched and checked unless there.

        It is checked by the go.sum in `pins`, or by Go's own database of checksums.
        """
        folder = self._modules / f"{_escape(module)}@{version}"
        # Go extracts a module under another name and renames it, so a folder that is there is whole.
        if not folder.is_dir():
            self.run(f"Fetching {module}", "mod", "download", f"{module}@{version}", cwd=pins)
        return folder

    def workspace(self, module: str = CONTROLLERS) -> Path:
        """The folder of a module, and of all in its workspace, with copies of the patched ones, where it is built."""
        workspace = workspace_of(module)
        return self._store.make(workspace.name, workspace.made_from, lambda into: self.fill(into, workspace))

    def fill(self, into: Path, workspace: Workspace) -> None:
        shutil.copytree(workspace.modules, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("overlay"))
        for patch in workspace.patches:
            _copy(self.module(patch.module, patch.version), into / "src" / patch.folder, patch)

    def build(self, component: Component) -> Mapping[str, Path]:
        """Name → program of everything in `component`, built unless it is there."""
        module = _apart().get(component.module) or self.workspace(component.module) / component.module
        made_from = key(_sources(component), versions.GO, repr(component), *component.tags)
        name = component.name.lower().replace(" ", "-")
        folder = self._store.make(name, made_from, lambda into: self._build(component, module, into))
        return {binary: folder / binary for binary in component.binaries}

    def _build(self, component: Component, module: Path, into: Path) -> None:
        stamps = " ".join(f"-X {variable}={value}" for variable, value in component.stamps.items())
        flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w {stamps}".rstrip()]
        flags += ["-tags", ",".join(component.tags)] if component.tags else []
        packages = list(component.binaries.values())
        # With one package -o names the program; with several it names the folder, and Go names each by its path.
        target = into / next(iter(component.binaries)) if len(packages) == 1 else f"{into}/"
        self.run(f"Building {component.name}", "build", *flags, "-o", target, *packages, cwd=module)


def _sources(component: Component) -> str:
    """What a component is built from. The cluster, which takes longest, has nothing of what is patched for the others."""
    if component.module == CLUSTER:
        return tree_key(MODULES / CLUSTER)
    if apart := _apart().get(component.module):
        return _go_files_key(apart)
    return workspace_of(component.module).made_from


def _apart() -> Mapping[str, Path]:
    """The modules that are built where they are."""
    return {
        STAND_INS: STAND_INS_MODULE,
        KIND_TOOLS: KIND_MODULE,
        PROMETHEUS_TOOLS: PROMETHEUS_MODULE,
        RCLONE_TOOLS: RCLONE_MODULE,
    }


def _escape(module: str) -> str:
    """A module's path as Go writes it to disk: upper case as `!` and lower case."""
    return "".join(f"!{letter.lower()}" if letter.isupper() else letter for letter in module)


def _go_files_key(module: Path) -> str:
    """The key of a module's Go files, which are not all that its folder has."""
    files = (path for path in files_below(module) if path.suffix in (".go", ".mod", ".sum"))
    return key(*(part for path in files for part in (str(path.relative_to(module)), path.read_bytes())))


def _copy(module: Path, into: Path, patch: Patch) -> None:
    shutil.copytree(module, into, copy_function=shutil.copyfile)
    for inner in (into, *(path for path in into.rglob("*") if path.is_dir())):
        inner.chmod(0o755)
    for folder in patch.drops:
        shutil.rmtree(into / folder)
    overlay = MODULES / "overlay" / patch.folder
    if overlay.is_dir():
        shutil.copytree(overlay, into, dirs_exist_ok=True)
    if patch.swaps:
        for path in (*into.rglob("*.go"), into / "go.mod"):
            text = path.read_text()
            for old, new in patch.swaps:
                text = text.replace(old, new)
            path.write_text(text)
