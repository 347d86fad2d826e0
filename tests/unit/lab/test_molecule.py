# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenarios, each with its inventory; that in kind on a machine that it can't run on. Scenarios are run in tests/e2e."""

from __future__ import annotations

import re
from pathlib import Path

from ...molecule import ROOT, molecule

# Which inventory it parses.
SAYS_WHAT_IT_READS = {"ANSIBLE_VERBOSITY": "3"}


def reads_only(said: str, inventory: str) -> bool:
    (other,) = {"lab", "kind"} - {inventory}
    return (
        f"Parsed {ROOT}/inventories/{inventory}/hosts.yml inventory source" in said
        and f"inventories/{other}" not in said
    )


def test_each_scenario_has_the_hosts_of_its_inventory_alone(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text("{}")
    own = {"KIND_INVENTORY": "kind", "EXISTING_INVENTORY": "example"}
    done = molecule("list", "", tmp_path, "--format", "plain", **own)
    assert done.returncode == 0, done.stdout
    # Instance, driver, provisioner, scenario, created, converged
    rows = [line.split() for line in done.stdout.splitlines() if re.fullmatch(r"\S+ +default +ansible .*", line)]
    found = sorted((row[3], row[0]) for row in rows)
    others = {"existing": "production", "kind": "kind"}
    scenarios = sorted(path.parent.name for path in (ROOT / "extensions/molecule").glob("*/molecule.yml"))
    assert found == [(scenario, others.get(scenario, "lab")) for scenario in scenarios]


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
    done = molecule("create", "kind", tmp_path / "nowhere", **there)
    assert done.returncode != 0
    (sentence,) = re.findall(
        r"msg: '?(lab: Docker does not run on this machine .*?) PLAY", " ".join(done.stdout.split())
    )
    assert "Cannot connect to the Docker daemon" in sentence or "No such file or directory" in sentence
    assert "in Molecule, leave KIND_INVENTORY out" in sentence
    assert not (tmp_path / "nowhere").exists()
