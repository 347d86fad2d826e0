# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew go.mod and go.sum of both modules below go/ after a version in go.mod or versions.py was changed.

`go mod tidy` would want the tests of every dependency, whose modules can't all be had.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from mastodon_lab.build import tools
from mastodon_lab.build.components import CLUSTER, CONTROLLERS
from mastodon_lab.build.golang import MODULES, Go
from mastodon_lab.build.store import Store


def main(cache: Path) -> None:
    store = Store(cache)
    log = cache / "log/go.log"
    with store.locked(print), tempfile.TemporaryDirectory() as folder:
        go = Go(tools.install(store, cache / "log/tools.log").go, store, log)
        workspace = Path(folder)
        go.fill(workspace)
        for module in (CLUSTER, CONTROLLERS):
            go.run("Selecting versions", "list", "-mod=mod", "-deps", "tool", cwd=workspace / module)
            for name in ("go.mod", "go.sum"):
                shutil.copyfile(workspace / module / name, MODULES / module / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
