# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab with everything on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader

from ..conftest import Lab
from .zone import Zone

# Let templates find the collection's filters as in a real run, for tests that render roles: before any import of the collection.
init_plugin_loader([str(Path(__file__).parents[2] / ".collections")])


@pytest.fixture(scope="session")
def installed(lab: Lab) -> Lab:
    """The lab with everything on it, by one run of site.yml."""
    run = lab.site()
    assert run.returncode == 0, run.output[-6000:]
    return lab


@pytest.fixture
def zone(installed: Lab) -> Zone:
    return Zone(installed)
