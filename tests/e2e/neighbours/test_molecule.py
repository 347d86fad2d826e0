# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenarios on a cluster that is there, as a contributor would start them."""

from __future__ import annotations

import pytest

from ...conftest import Lab
from ...molecule import assert_passed


@pytest.mark.parametrize(
    ("scenario", "steps"),
    [
        ("existing", ("converge", "idempotence", "verify")),
        ("drift", ("prepare", "side_effect", "idempotence", "verify")),
        ("tags", ("prepare", "converge", "idempotence", "verify")),
    ],
)
def test_a_scenario_on_a_cluster_that_is_there_passes(installed: Lab, scenario: str, steps: tuple[str, ...]) -> None:
    assert_passed(scenario, installed.state, *steps, timeout=1800)
