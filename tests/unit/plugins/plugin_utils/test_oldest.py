# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import subprocess
import sys

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._oldest import PYTHON, core, refusal

from ...roles.conftest import ROOT

# With an ansible-core that calls itself so, and has nothing of what the oldest one has.
OLD = """
import sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
import ansible.release, ansible.template
ansible.release.__version__ = "2.18.19"
del ansible.template.trust_as_template
import ansible_collections.fediverse.mastodon.plugins.action.doctor
"""


@pytest.mark.parametrize(
    ("version", "python"), [("2.19.0", (3, 11, 2)), ("2.21.0rc1", (3, 14, 0)), ("2.20.0b2", (3, 12, 0))]
)
def test_a_version_that_is_new_enough_is_used(version: str, python: tuple[int, ...]) -> None:
    assert refusal(version, python) == ""


def test_an_older_one_is_refused_with_what_to_do() -> None:
    assert refusal("2.18.19", (3, 11, 2)) == (
        f"ansible-core 2.18.19: is too old. Install 2.19 or newer: {sys.executable} -m pip install 'ansible-core>=2.19'."
    )
    assert refusal("2.17.14", (3, 10, 12)) == (
        "Python 3.10.12: is too old. Install ansible-core by Python 3.11 or newer: python3.11 -m pip install 'ansible-core>=2.19'."
    )


def test_the_readme_asks_for_the_same() -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"'ansible-core>={core()}'" in readme
    assert set(re.findall(r"Python (\d+\.\d+) or newer", readme)) == {".".join(map(str, PYTHON))}


def test_the_first_task_says_so_before_it_needs_what_an_older_one_has_not() -> None:
    command = (sys.executable, "-c", OLD, str(ROOT / ".collections"))
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert "ansible-core 2.18.19: is too old. Install 2.19 or newer: " in done.stderr
