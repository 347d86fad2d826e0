# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenarios, each with its inventory; that in kind on a machine that it can't run on. Scenarios are run in tests/e2e."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ...molecule import ROOT, molecule

LAB_SETTINGS = sorted((ROOT / "inventories/lab/group_vars/clusters").glob("*.yml"))
# Which inventory it parses.
SAYS_WHAT_IT_READS = {"ANSIBLE_VERBOSITY": "3"}


def reads_only(said: str, inventory: str) -> bool:
    (other,) = {"lab", "kind"} - {inventory}
    return (
        f"Parsed {ROOT}/inventories/{inventory}/hosts.yml inventory source" in said
        and f"inventories/{other}" not in said
    )


def scenarios() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "extensions/molecule").glob("*/molecule.yml"))


def test_each_scenario_has_the_hosts_of_its_inventory_alone(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{}")
    own = {"KIND_INVENTORY": "kind", "EXISTING_INVENTORY": "example"}
    done = molecule("list", "", tmp_path, "--format", "plain", **own)
    assert done.returncode == 0, done.stdout
    # Instance, driver, provisioner, scenario, created, converged
    rows = [line.split() for line in done.stdout.splitlines() if re.fullmatch(r"\S+ +default +ansible .*", line)]
    found = sorted((row[3], row[0]) for row in rows)
    own_labs = ("adopt", "external", "split_domain")
    others = {"existing": "production", "kind": "kind", **dict(zip(own_labs, own_labs, strict=True))}
    assert found == [(scenario, others.get(scenario, "lab")) for scenario in scenarios()]


def test_no_two_scenarios_have_one_lab_but_those_on_the_lab_that_stays() -> None:
    """Those of one run with --all may be up at once."""
    places = {
        path.parent.name: re.findall(r"LAB_(?:STATE|INDEX): .*:-(.+?)}", path.read_text())
        for path in (ROOT / "extensions/molecule").glob("*/molecule.yml")
    }
    stays = ["/var/lib/fediverse-mastodon-lab/default"]
    shared = {name for name, place in places.items() if place == stays}
    assert shared == {"default", "drift", "existing", "tags"}
    own = [place for name, place in places.items() if name not in shared]
    assert [len(place) for place in own] == [2] * 4
    for values in zip([*stays, "0"], *own, strict=True):
        assert len(set(values)) == len(values)


def test_each_scenario_is_run_by_a_test() -> None:
    """Together they are what `molecule test --all` runs."""
    texts = (path.read_text() for path in (ROOT / "tests/e2e").rglob("test_*.py"))
    run = "".join(text for text in texts if "import assert_passed" in text)
    assert [name for name in scenarios() if f'"{name}"' not in run] == []


@pytest.mark.parametrize("scenario", ["adopt", "external", "split_domain"])
def test_the_inventory_of_a_capability_is_that_of_the_lab_with_its_settings_on_top(
    scenario: str, tmp_path: Path
) -> None:
    (tmp_path / "lab.json").write_text('{"redis_host": "redis.test"}')
    wanted = {name: value for file in LAB_SETTINGS for name, value in yaml.safe_load(file.read_text()).items()}
    own = yaml.safe_load(settings_of(scenario).read_text())
    found = read_inventory(scenario, tmp_path)
    assert found["lab"] == {"redis_host": "redis.test"}
    assert own.keys() & found.keys() == own.keys()
    assert {name: found[name] for name in wanted if name not in own} == {
        name: value for name, value in wanted.items() if name not in own
    }
    assert {name: found[name] for name in own} == own


def settings_of(scenario: str) -> Path:
    return ROOT / f"extensions/molecule/{scenario}/inventory/host_vars/{scenario}.yml"


def read_inventory(scenario: str, state: Path) -> dict[str, Any]:
    """Return a host's variables as Ansible reads them, with templates as they are written."""
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-inventory"),
            "-i",
            str(settings_of(scenario).parents[1]),
            "--host",
            scenario,
        ],
        env={**os.environ, "LAB_STATE": str(state), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_cluster_that_is_there_is_the_lab_unless_another_inventory_is_named(tmp_path: Path) -> None:
    done = molecule("syntax", "existing", tmp_path, **SAYS_WHAT_IT_READS, EXISTING_INVENTORY="kind")
    assert done.returncode == 0, done.stdout
    assert reads_only(done.stdout, "kind")


def test_the_scenario_in_kind_is_on_the_lab_unless_told(tmp_path: Path) -> None:
    done = molecule("syntax", "kind", tmp_path, **SAYS_WHAT_IT_READS)
    assert done.returncode == 0, done.stdout
    assert reads_only(done.stdout, "lab")


def test_a_machine_without_docker_is_told_so(tmp_path: Path) -> None:
    there = {**SAYS_WHAT_IT_READS, "KIND_INVENTORY": "kind", "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    # Another run may have left something that Molecule takes for created.
    there["MOLECULE_EPHEMERAL_DIRECTORY"] = str(tmp_path / "molecule")
    done = molecule("create", "kind", tmp_path / "nowhere", **there)
    assert done.returncode != 0
    (sentence,) = re.findall(
        r"msg: '?(lab: Docker does not run on this machine .*?) PLAY", " ".join(done.stdout.split())
    )
    assert "Cannot connect to the Docker daemon" in sentence or "No such file or directory" in sentence
    assert "in Molecule, leave KIND_INVENTORY out" in sentence
    assert not (tmp_path / "nowhere").exists()
