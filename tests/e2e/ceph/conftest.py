# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with a Rook that somebody else installed, a Ceph with an object store, and another S3 server, without Mastodon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...conftest import LAB_INDEX, LAB_NAME, Lab, fresh_lab
from .store import Store

NOT_NEEDED = "knot,mailpit,redis,site,traefik"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with fresh_lab(LAB_NAME, int(LAB_INDEX), "--without", NOT_NEEDED) as made:
        yield made


@pytest.fixture(scope="session")
def store(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store with Mastodon's bucket in it, claimed by the role as of a Rook that was there."""
    made = Store(lab, tmp_path_factory.mktemp("role"))
    made.install(tmp_path_factory.mktemp("rook"))
    first = made.role()
    assert first.returncode == 0, first.output[-4000:]
    return made
