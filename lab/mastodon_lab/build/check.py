# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the Go tests of our own stand-ins, with the Go that they are built with."""

from __future__ import annotations

import sys
from pathlib import Path

from mastodon_lab.build import tools
from mastodon_lab.build.golang import STAND_INS_MODULE, Go
from mastodon_lab.build.store import Store
from mastodon_lab.errors import LabError


def main(cache: Path) -> int:
    """Return 0 when all pass, and show what Go said when not."""
    store, log = Store(cache), cache / "log/go-test.log"
    log.unlink(missing_ok=True)
    try:
        go = Go(tools.install(store, cache / "log/tools.log").go, store, log)
        go.run("Testing the stand-ins", "test", "./...", cwd=STAND_INS_MODULE)
    except LabError as error:
        print(log.read_text() if log.exists() else error)
        return 1
    print(f"The Go tests of lab/{STAND_INS_MODULE.name} passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
