# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each mistake in mistakes/ ends its run with the sentence beside it, before anything is written anywhere.

One host of an inventory is one cluster, so all mistakes are made in one run, each as a host of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..conftest import Lab, Run

MISTAKES = {
    file.stem: yaml.safe_load(file.read_text()) for file in sorted(Path(__file__).parent.glob("mistakes/*.yml"))
}


@dataclass(frozen=True)
class Refusals:
    """What one run of site.yml with every mistake said, and what it wrote."""

    run: Run
    writes: list[str]
    vault_writes: list[tuple[str, str]]


@pytest.fixture(scope="module")
def refusals(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    """Run site.yml once, on a host for each mistake."""
    mark, vault_mark = lab.audit_mark(), lab.vault_versions()
    hosts = {name: mistake["settings"] for name, mistake in MISTAKES.items()}
    run = lab.site_of_many(tmp_path_factory.mktemp("wrong"), hosts)
    vault_now = lab.vault_versions()
    return Refusals(run, lab.our_writes(mark), sorted(set(vault_now.items()) ^ set(vault_mark.items())))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_sentence(refusals: Refusals, mistake: str) -> None:
    assert refusals.run.refusal_of(mistake) == MISTAKES[mistake]["says"]


def test_no_mistake_changes_anything(refusals: Refusals) -> None:
    assert refusals.run.returncode != 0
    assert refusals.writes == []
    assert refusals.vault_writes == []
    assert refusals.run.changed == dict.fromkeys(MISTAKES, 0)
    assert "Traceback" not in refusals.run.output


def test_a_secret_in_the_wrong_place_is_not_shown(refusals: Refusals) -> None:
    assert "hunter2" in str(MISTAKES), "they are among the mistakes"
    assert "hunter2" not in refusals.run.output
    assert "46711302" not in refusals.run.output


def test_there_are_enough_of_them() -> None:
    assert len(MISTAKES) >= 60
