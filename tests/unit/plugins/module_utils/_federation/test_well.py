# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is as it must be is found so, in whatever mode it runs."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict

from .mastodon import PICTURE
from .world import World, faults, verdicts


def test_a_mastodon_that_is_well_passes_without_a_fault(world: World) -> None:
    world.serve_media()
    report = world.look(media_path=PICTURE)
    assert faults(report) == []
    assert report.passed
    assert verdicts(report) == {Verdict.FINE}
