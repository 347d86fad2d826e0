# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks of site.yml a tag takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.playbook.block import Block
from ansible.vars.manager import VariableManager

from .conftest import ROOT

TAGS = sorted(path.name for path in (ROOT / "roles").iterdir() if path.name not in ("common", "doctor"))


@pytest.fixture(scope="module")
def tasks() -> list[Any]:
    """All tasks of site.yml, with those that its roles import."""
    loader = DataLoader()
    playbook = Playbook.load(str(ROOT / "playbooks/site.yml"), variable_manager=VariableManager(loader), loader=loader)
    [play] = playbook.get_plays()
    # Ansible's own, such as the one that ends each role, are of no file.
    return [task for block in play.compile() for task in flat(block) if task._role and not task.implicit]


def flat(block: Any) -> Iterator[Any]:
    for one in block.block:
        yield from flat(one) if isinstance(one, Block) else [one]


def taken(tasks: list[Any], *tags: str) -> list[Any]:
    return [task for task in tasks if task.evaluate_tags(list(tags), [], {})]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_takes_all_tasks_of_its_role_and_of_no_other(tasks: list[Any], tag: str) -> None:
    roles = {task._role.get_name().removeprefix("fediverse.mastodon.") for task in taken(tasks, tag)}
    # The doctor looks at the Mastodon that runs with a task of role mastodon, and role cnpg finds which Cluster its database is.
    assert roles == {"doctor", "mastodon", "cnpg", tag}


def test_every_task_is_taken_by_one_tag_or_always(tasks: list[Any]) -> None:
    always = taken(tasks, "none of them")
    found = {task._role.get_name().removeprefix("fediverse.mastodon.") for task in always}
    assert found == {"doctor", "mastodon", "cnpg"}
    of_tags = [task for tag in TAGS for task in taken(tasks, tag) if task not in always]
    assert len(of_tags) + len(always) == len(tasks)
