# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from mastodon_lab.cluster.lock import only_one
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


def test_a_second_one_is_refused_until_the_first_is_done(lab: Lab) -> None:
    with only_one(lab), pytest.raises(LabError, match=f"of lab {lab.name} is running"), only_one(lab):
        pass
    with only_one(lab):
        pass


def test_another_lab_is_not_held_up(lab: Lab) -> None:
    with only_one(lab), only_one(replace(lab, name=f"{lab.name}-other")):
        pass
