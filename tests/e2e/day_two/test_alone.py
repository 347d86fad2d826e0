# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever takes one role, or one part of it, changes nothing of an installation that is as it should be."""

from __future__ import annotations

from pathlib import Path

from ...conftest import Lab
from ..alone import FILES, alone, failures, outputs


def test_each_file_of_each_role_alone_changes_nothing_after_a_full_run(installed: Lab, tmp_path: Path) -> None:
    mark, vault = installed.audit_mark(), installed.vault_versions()
    run = alone(installed, tmp_path, FILES)
    assert run.returncode == 0, run.output[-6000:]
    assert list(outputs(run)) == FILES
    assert failures(run) == {}
    assert {file: output for file, output in outputs(run).items() if "changed: [" in output} == {}
    assert installed.our_writes(mark) == []
    assert installed.vault_versions() == vault
