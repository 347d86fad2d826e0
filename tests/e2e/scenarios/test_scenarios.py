# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenarios by capability, each on a lab of its own, as a contributor would start them."""

from __future__ import annotations

import os
from pathlib import Path

from ...conftest import LAB_INDEX, LAB_NAME
from ...molecule import assert_passed
from ..lab.traces import traces

STEPS = ("destroy", "create", "prepare", "converge", "idempotence", "verify")


def test_what_others_run_is_used_and_not_changed_and_refused_when_it_does_not_run() -> None:
    passes_and_leaves_nothing("adopt")


def test_database_cache_and_bucket_may_be_of_others() -> None:
    passes_and_leaves_nothing("external")


def test_people_are_at_the_domain_of_another_web_site() -> None:
    passes_and_leaves_nothing("split_domain")


def passes_and_leaves_nothing(scenario: str) -> None:
    name = f"{scenario.replace('_', '-')}-{LAB_NAME}"
    state = Path(os.environ.get("LAB_ROOT", "/var/lib/fediverse-mastodon-lab")) / name
    assert_passed(scenario, state, *STEPS, timeout=3600, LAB_INDEX=LAB_INDEX)
    assert traces(name, int(LAB_INDEX)) == {}
    assert not state.exists()
