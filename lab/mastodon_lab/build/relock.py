# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew go.mod and go.sum of all modules after a version in go.mod or versions.py was changed.

`go mod tidy` would want the tests of every dependency, whose modules can't all be had.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from mastodon_lab.build import tools
from mastodon_lab.build.components import (
    CLUSTER,
    CONTROLLERS,
    KIND_TOOLS,
    PROMETHEUS_TOOLS,
    RCLONE_TOOLS,
    ROOK_MODULE,
    STAND_INS,
)
from mastodon_lab.build.golang import KIND_MODULE, PROMETHEUS_MODULE, RCLONE_MODULE, STAND_INS_MODULE, Go, workspace_of
from mastodon_lab.build.store import Store


def main(cache: Path) -> None:
    store = Store(cache)
    log = cache / "log/go.log"
    with store.locked(print), tempfile.TemporaryDirectory() as folder:
        go = Go(tools.install(store, cache / "log/tools.log").go, store, log)
        copies = Path(folder)
        for module in (CLUSTER, CONTROLLERS, ROOK_MODULE):
            workspace = workspace_of(module)
            copy = copies / workspace.name
            if not copy.exists():
                go.fill(copy, workspace)
            _renew(go, copy / module, workspace.modules / module)
        for name, source, like in (
            (STAND_INS, STAND_INS_MODULE, CONTROLLERS),
            (KIND_TOOLS, KIND_MODULE, CLUSTER),
            (PROMETHEUS_TOOLS, PROMETHEUS_MODULE, CONTROLLERS),
            (RCLONE_TOOLS, RCLONE_MODULE, ""),
        ):
            shutil.copytree(source, copies / name)
            if like:
                _align(copies / name / "go.mod", copies / workspace_of(like).name / like / "go.mod")
            _renew(go, copies / name, source)


def _renew(go: Go, copy: Path, module: Path) -> None:
    go.run("Selecting versions", "list", "-mod=mod", "-deps", "tool", cwd=copy)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(copy / name, module / name)


def _align(go_mod: Path, controllers: Path) -> None:
    """Let a go.mod ask for the versions that go/controllers has, so that what both use is compiled once."""
    required = re.compile(r"(?m)^\t(\S+) (v\S+)")
    selected = dict(required.findall(controllers.read_text()))
    go_mod.write_text(required.sub(lambda line: f"\t{line[1]} {selected.get(line[1], line[2])}", go_mod.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
