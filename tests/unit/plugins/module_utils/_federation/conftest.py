# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internet that a test looks at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A split domain and a Mastodon that are well, looked at by the checks that a file of tests names, else by all."""
    made = World(tmp_path, checks=getattr(request.module, "LOOKED_AT", ()))
    yield made
    made.stop()
