# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from mastodon_lab.build.store import BUILD_LOCK
from mastodon_lab.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab with folders of its own; nothing of it runs."""
    # Locks go by name, and real labs and other runs of these tests may be beside.
    made = Lab(f"unit-{os.getpid()}", 9, tmp_path / "state", tmp_path / "cache")
    for folder in (made.run, made.log, made.etc, made.cache):
        folder.mkdir(parents=True)
    (made.cache / BUILD_LOCK).touch()
    return made
