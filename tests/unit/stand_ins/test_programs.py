# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests that the stand-ins written in Go have beside their code, with the Go that builds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mastodon_lab.build import tools
from mastodon_lab.build.golang import STAND_INS_MODULE, Go
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Go:
    store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
    log = tmp_path_factory.mktemp("go") / "go.log"
    with store.locked(print):
        return Go(tools.install(store, log).go, store, log)


@pytest.mark.parametrize("program", ["dragonfly"])
def test_programs_in_go_pass_their_own_tests(go: Go, program: str) -> None:
    go.run(f"Testing {program}", "test", f"./{program}/...", cwd=STAND_INS_MODULE)
    assert "FAIL" not in go.log.read_text()
