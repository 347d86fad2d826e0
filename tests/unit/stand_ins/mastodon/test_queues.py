# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
from collections import Counter

import pytest
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.queues import WeightedQueue, shuffled


@pytest.mark.parametrize(
    ("argument", "queue"), [("default,8", WeightedQueue("default", 8)), ("pull", WeightedQueue("pull", 1))]
)
def test_queues_are_read_from_the_command_line(argument: str, queue: WeightedQueue) -> None:
    assert WeightedQueue.parse(argument) == queue


@pytest.mark.parametrize("argument", ["", ",8", "default,high", "default,-1"])
def test_what_is_no_queue_is_refused(argument: str) -> None:
    with pytest.raises(RefusalError, match="it is not a queue"):
        WeightedQueue.parse(argument)


def test_every_queue_gets_its_turn_and_heavy_ones_more_often() -> None:
    queues = [WeightedQueue("default", 8), WeightedQueue("pull")]
    chance = random.Random(1)  # noqa: S311
    orders = [shuffled(queues, chance) for _unused in range(1000)]
    assert all(sorted(order) == ["default", "pull"] for order in orders)
    first = Counter(order[0] for order in orders)
    assert 800 < first["default"] < 960
