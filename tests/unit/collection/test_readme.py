# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README says of the collection is so. Its lines are followed in tests/e2e."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.cluster import OLDEST_KUBERNETES
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load
from ansible_collections.fediverse.mastodon.tests import readme

from .conftest import ROOT

GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())
OF_REPOSITORY = re.compile(re.escape(GALAXY["repository"]) + r"/(?:blob|tree)/main/(\S+)")
# What the controllers use, measured on the lab, and the least that a page may be wrong by.
CONTROLLERS = 1024


def mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Gi": 1024, "Mi": 1}[quantity[-2:]]


def asked_for(of_size: str) -> int:
    """Return the memory that a Mastodon of this size asks for while one more web pod starts."""
    found = size({"mastodon_size": of_size})
    mastodon, database = found["values"]["mastodon"], found["postgresql"]
    pods = [
        (found["web"]["max_replicas"] + 1, mastodon["web"]["resources"]),
        (mastodon["streaming"]["replicas"], mastodon["streaming"]["resources"]),
        (database["instances"], database["resources"]),
        *((worker["replicas"], worker["resources"]) for worker in mastodon["sidekiq"]["workers"]),
    ]
    asked = sum(count * mebibytes(resources["requests"]["memory"]) for count, resources in pods)
    return asked + mebibytes(found["cache"]["memory"])


@pytest.mark.parametrize("of_size", ["minimal", "small", "medium", "large"])
def test_the_memory_it_asks_for_is_enough_and_not_twice_as_much(of_size: str) -> None:
    (said,) = re.findall(rf"`{of_size}` (\d+) GiB", readme.section("Install it on your cluster"))
    needed = asked_for(of_size) + CONTROLLERS
    assert needed <= int(said) * 1024 < 2 * needed


def test_all_that_it_links_to_in_the_repository_is_there() -> None:
    linked = OF_REPOSITORY.findall(readme.TEXT)
    assert len(linked) >= 5
    assert [name for name in linked if not (ROOT / name).exists()] == []
    assert set(re.findall(r"\]\[([\w-]+)\]", readme.TEXT)) == set(
        re.findall(r"^\[([\w-]+)\]: ", readme.TEXT, re.MULTILINE)
    )


def test_its_table_has_every_role_and_names_settings_that_exist() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\[role-\1\] \|.*$", readme.section("Roles"), re.MULTILINE)
    roles = {path.name for path in (ROOT / "roles").iterdir()} - {"common"}
    assert sorted(rows) == sorted(roles)
    settings = set(re.findall(r"`([a-z_]+_(?:install|backend|issuer|volumes))\b", readme.TEXT))
    assert len(settings) > len(roles) / 2
    assert settings <= load(ROOT / "roles").names


@pytest.mark.parametrize("recipe", [readme.from_galaxy, readme.from_checkout])
def test_both_recipes_install_check_and_run(recipe: object) -> None:
    assert callable(recipe)
    install, commands = recipe()
    assert "requirements.txt" in install
    assert "inventories/example inventories/mine" in install
    assert len(commands) == 3
    for command, playbook in zip(commands, ("doctor", "site", "site"), strict=True):
        words = command.split()
        assert words[:3] == ["ansible-playbook", "-i", "inventories/mine"]
        assert words[3].removeprefix("fediverse.mastodon.").removeprefix("playbooks/").removesuffix(".yml") == playbook
        assert (ROOT / words[3]).is_file() or (ROOT / f"playbooks/{playbook}.yml").is_file()
    assert commands[1].endswith(" --check --diff")


def test_the_ten_settings_are_as_many_as_it_says() -> None:
    example = yaml.safe_load((ROOT / "inventories/example/group_vars/clusters.yml").read_text())
    assert len(example) == 10
    assert "ten settings" in readme.section("2. Configure it")


def test_the_least_ansible_is_the_same_wherever_it_is_said() -> None:
    least = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    assert f"ansible-core{least}\n" in (ROOT / "requirements.txt").read_text()
    assert f"'ansible-core{least.removesuffix('.0')}'" in readme.from_galaxy()[0]


def test_the_oldest_kubernetes_is_the_one_that_the_doctor_lets_pass() -> None:
    oldest = ".".join(map(str, OLDEST_KUBERNETES))
    assert f"Kubernetes {oldest} or newer" in readme.section("Install it on your cluster")


def test_it_is_read_in_five_minutes() -> None:
    prose = re.sub(r"^```.*?^```$|^\[[^\n]*?\]: [^\n]*$", "", readme.TEXT, flags=re.MULTILINE | re.DOTALL)
    assert 800 < len(prose.split()) <= 1100


def test_it_installs_from_where_the_collection_is() -> None:
    """Galaxy has what was released, and GitHub has it before."""
    released = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"]
    assert (f"Version {GALAXY['version']} is not released yet" in readme.TEXT) == (not released)
    source = "fediverse.mastodon" if released else f"git+{GALAXY['repository']}"
    # What packs a collection by a manifest, which is done where it is installed when Galaxy has not done it.
    assert ("distlib" in readme.from_galaxy()[0]) == (not released)
    for page in (readme.from_galaxy()[0], readme.section("Upgrade", readme.OPERATING)):
        assert re.findall(r"ansible-galaxy collection install (?:--upgrade )?([^\s`]+)", page) == [source]


def test_its_picture_is_text_that_every_page_shows_alike() -> None:
    """Galaxy renders no diagrams, and a picture that is wider than a terminal is broken by some."""
    (picture,) = re.findall(r"^```text\n(.*?)^```$", readme.TEXT, re.MULTILINE | re.DOTALL)
    assert max(len(line) for line in picture.splitlines()) <= 80
    boxed = [line for line in picture.splitlines() if line.startswith(" │")]
    assert len(boxed) > 5
    assert {len(line) for line in boxed} == {len(boxed[0])}


def test_its_links_work_on_galaxy_too() -> None:
    """There a link without a host leads nowhere."""
    assert re.findall(r"\]\((?!https://)[^)]*\)", readme.TEXT) == []


def test_what_is_proven_has_one_row_for_each_capability() -> None:
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs/proven.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    assert len(rows) == len(set(rows))
