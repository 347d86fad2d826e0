# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenario on a cluster that is there, as a contributor would start them."""

from __future__ import annotations

from ...conftest import Lab
from ...molecule import assert_passed


def test_the_scenario_on_a_cluster_that_is_there_passes(installed: Lab) -> None:
    assert_passed("existing", installed.state, "converge", "idempotence", "verify", timeout=1800)
