# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkouts that ask for the same share one environment, and one that asks for more gets another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "lab/python.sh"


# Makes environments that have nothing, at once; real ones are made by whoever runs these tests.
QUICK = f"""\
#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec {sys.executable} "$@"
mkdir -p "$4/bin"
printf '#!/bin/sh\\necho "$*" > "%s/asked"\\n' "$4" > "$4/bin/pip"
chmod +x "$4/bin/pip"
"""


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "programs/python3"
    program.parent.mkdir()
    program.write_text(QUICK)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def sourced(root: Path, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a command of the checkout `root` would."""
    return subprocess.run(
        ["sh", "-c", f"root={root}; . {SCRIPT}"],
        env={**os.environ, "LAB_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def checkout(folder: Path, requirements: str = "", constraints: str = "") -> Path:
    folder.mkdir()
    (folder / "requirements.txt").write_text(requirements)
    (folder / "constraints.txt").write_text(constraints)
    (folder / "requirements-test.txt").write_text("-r requirements.txt\n# and more\n")
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root, and so do its commands")
def test_an_environment_is_made_once_for_all_checkouts_that_ask_for_the_same(tmp_path: Path) -> None:
    one, two, other = checkout(tmp_path / "one"), checkout(tmp_path / "two"), checkout(tmp_path / "other", "# other\n")
    cache = tmp_path / "cache"
    assert "installing" in sourced(one, cache).stderr
    assert sourced(one, cache).stderr == sourced(two, cache).stderr == ""
    assert (one / ".venv").resolve() == (two / ".venv").resolve()
    assert "installing" in sourced(other, cache).stderr
    assert (other / ".venv").resolve() != (two / ".venv").resolve()
    # One for tests has all that the lab's commands ask for.
    assert sourced(one, cache, FEDIVERSE_MASTODON_REQUIREMENTS="requirements-test.txt").returncode == 0
    assert sourced(one, cache).stderr == ""
    assert "requirements-test" in (one / ".venv").resolve().name


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root, and so do its commands")
def test_other_pins_are_another_environment(tmp_path: Path) -> None:
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other", constraints="hvac==2.4.0\n")
    cache = tmp_path / "cache"
    for root in (one, other):
        assert sourced(root, cache).returncode == 0
    assert (one / ".venv").resolve() != (other / ".venv").resolve()
    assert "--constraint" in (one / ".venv/asked").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root, and so do its commands")
def test_what_is_no_link_of_ours_is_left_alone(tmp_path: Path) -> None:
    root = checkout(tmp_path / "one")
    (root / ".venv").mkdir()
    done = sourced(root, tmp_path / "cache")
    assert done.returncode == 1
    assert done.stderr == f"lab: {root}/.venv is in the way: move it elsewhere.\n"
