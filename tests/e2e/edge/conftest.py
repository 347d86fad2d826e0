# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with IPv6 beside IPv4, and with a web site of others at its bare domain; Mastodon comes onto it for who asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...conftest import LAB_INDEX, LAB_NAME, Lab, fresh_lab


@pytest.fixture(scope="session")
def both() -> Iterator[Lab]:
    """The lab."""
    with fresh_lab(f"{LAB_NAME}-edge", int(LAB_INDEX) + 1, "--with", "all,ipv6,website", "--without", "ceph") as made:
        yield made


@pytest.fixture(scope="session")
def split(both: Lab) -> Lab:
    """Put Mastodon on it: people are at the bare domain, and pages at a host below."""
    run = both.site("-e", "@lab/settings/split_domain.yml")
    assert run.returncode == 0, run.output[-6000:]
    return both
