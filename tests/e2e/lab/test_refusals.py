# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab/up` where it can't work, as far as that can be had on a machine where it can: it says why and leaves nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ...conftest import LAB_NAME, ROOT, Lab

INDEX = "54"
MEMINFO = "MemTotal: 4194304 kB\nMemAvailable: 1048576 kB\n"


def refusal(folder: Path, *before: str, name: str = "refused") -> str:
    """The one sentence that `lab/up` refuses with when it is called by the command `before`, without its `lab: `."""
    command = [*before, str(ROOT / "lab/up"), "--name", name, "--index", INDEX]
    environment = {**os.environ, "LAB_STATE": str(folder / "state")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert (done.returncode, done.stdout) == (1, "")
    said = done.stderr.splitlines()
    assert len(said) == 1
    assert not (folder / "state").exists()
    return said[0].removeprefix("lab: ")


def with_mounts(script: str, *words: str) -> tuple[str, ...]:
    """The beginning of a command that is run where a script has mounted something, which nobody else sees."""
    return "unshare", "--mount", "sh", "-c", f'{script}; shift {len(words)}; exec "$@"', "sh", *words


def test_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text(MEMINFO)
    said = refusal(tmp_path, *with_mounts('mount --no-mtab --bind "$1" /proc/meminfo', str(file)))
    assert said == "Only 1.0 GiB of memory are available: the lab needs 6.0 GiB."


def test_little_disk(tmp_path: Path) -> None:
    script = 'mount --no-mtab -t tmpfs -o size=1g tmpfs "$1"'
    said = refusal(tmp_path, *with_mounts(script, str(tmp_path)))
    assert said == f"Only 1.0 GiB are free where {tmp_path}/state is: the lab needs 6.0 GiB there."


@pytest.mark.parametrize(("capability", "feature"), [("sys_admin", "namespaces"), ("net_admin", "veth interfaces")])
def test_what_a_machine_does_not_allow(tmp_path: Path, capability: str, feature: str) -> None:
    said = refusal(tmp_path, "setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    assert said.startswith(f"The kernel refuses {feature} (")
    assert said.endswith("). The lab needs a machine or container that has it.")


def test_a_lab_of_that_name_that_runs_elsewhere(lab: Lab, tmp_path: Path) -> None:
    said = refusal(tmp_path, name=LAB_NAME)
    assert said.startswith(f"Another lab called {LAB_NAME} is running, its state isn't in {tmp_path}/state: end it")
