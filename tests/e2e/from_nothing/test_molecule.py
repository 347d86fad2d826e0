# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's own run of the lab scenario, as a contributor would start it."""

from __future__ import annotations

from ...conftest import Lab
from ...molecule import assert_passed


def test_the_default_scenario_passes(installed: Lab) -> None:
    assert_passed("default", installed.state, "prepare", "converge", "idempotence", "verify", timeout=2400)
