# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml run on a lab while it is empty, each tag alone; killed on its way; to its end, as somebody with nothing but the README
and the published collection does it; once more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import yaml

from ... import readme
from ...conftest import ROOT, SEED, Lab, Run
from ..alone import FILES, alone
from ..example_pages import FAULTS
from ..newcomer import Newcomer

# What a role stands on and an empty cluster has not, by the tag that provides it.
STANDS_ON = {
    "external_secrets": "flux",
    "cert_manager": "flux",
    "external_dns": "external_secrets",
    "rook": "flux",
    "cnpg": "flux",
    "dragonfly": "flux",
    "gateway": "cert_manager",
    "mastodon": "flux",
}
# What each file of a role says does not depend on its tag: one that stands for all, and the one that has most to ask first.
BY_TAG = list(STANDS_ON) if os.environ.get("TEST_EVERY_TAG") else ["external_dns", "mastodon"]
PARTS = [(role, file) for role, file in FILES if role in STANDS_ON]
TIMEOUTS = sorted(
    name
    for path in ROOT.glob("roles/*/defaults/main.yml")
    for name in yaml.safe_load(path.read_text())
    if name.endswith("_wait_timeout")
)
# The first may be killed while it makes secrets, the last while it waits for databases.
FIRST_KILLS = 2
LATEST_KILL = 30.0
# Of the right form, and in no registry.
NO_IMAGE = "v4.7.99"


@dataclass(frozen=True)
class Story:
    """What site.yml said on the empty cluster, with each tag alone and in check mode; with an image that does not exist, after
    runs that were killed; with the right one, run from the collection that a newcomer installed; again from the checkout.

    `parts` is each file of a role imported alone. `secrets` are Vault's versions as the runs that were killed left them; `first_data`
    and `second_data` what Mastodon's Secrets held after those runs. `faulty` is what the doctor said before all that, of faults that
    only looking finds.
    """

    faulty: Run
    tags: dict[str, Run]
    parts: Run
    empty_check: Run
    empty_check_writes: list[str]
    secrets: dict[str, str]
    mistaken: Run
    first: Run
    looked: Run
    second: Run
    second_writes: list[str]
    first_data: dict[str, Any]
    second_data: dict[str, Any]


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    return Newcomer(tmp_path_factory.mktemp("newcomer"))


@pytest.fixture(scope="session")
def installing(newcomer: Newcomer) -> Iterator[Future[Run]]:
    """Install the collection as it is published, while others use the lab."""
    with ThreadPoolExecutor(1) as aside:
        yield aside.submit(newcomer.install)


@pytest.fixture(scope="session")
def story(lab: Lab, newcomer: Newcomer, installing: Future[Run], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Run each tag and each file alone and check mode on nothing, then install everything in spite of kills, then run once more."""
    faulty = lab.playbook("doctor.yml", "-e", json.dumps(FAULTS))
    mark = lab.audit_mark()
    tags = {tag: lab.site("--tags", tag) for tag in BY_TAG}
    empty_writes = lab.our_writes(mark)
    # Some of these fail by the first thing that they write, as they check nothing before.
    parts = alone(lab, tmp_path_factory.mktemp("parts"), PARTS, "-e", " ".join(f"{name}=5" for name in TIMEOUTS))
    mark = lab.audit_mark()
    empty_check = lab.site("--check", "--diff")
    empty_writes += lab.our_writes(mark)
    moments = Random(SEED)
    for _ in range(FIRST_KILLS):
        lab.killed_site(moments.uniform(1, LATEST_KILL))
    secrets = lab.vault_versions()
    mistaken = lab.site("--extra-vars", f"mastodon_image_tag={NO_IMAGE}")
    assert mistaken.returncode != 0
    installed = installing.result()
    assert installed.returncode == 0, installed.output[-6000:]
    newcomer.fill_in(lab)
    _, (doctor, _, site) = readme.from_galaxy()
    first = newcomer.run(site)
    assert first.returncode == 0, first.output[-6000:]
    mark, data = lab.audit_mark(), data_of_secrets(lab)
    second = lab.site()
    after = (second, lab.our_writes(mark), data, data_of_secrets(lab))
    looked = newcomer.run(doctor)
    return Story(faulty, tags, parts, empty_check, empty_writes, secrets, mistaken, first, looked, *after)


def data_of_secrets(lab: Lab) -> dict[str, Any]:
    return {item["metadata"]["name"]: item.get("data") for item in lab.get("secret", "-n=mastodon")["items"]}


@pytest.fixture(scope="session")
def installed(lab: Lab, story: Story) -> Lab:
    """The lab with everything on it, in spite of it all."""
    assert story.first.returncode == 0
    return lab
