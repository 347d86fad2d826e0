# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import EVERYTHING, PACKAGES, needs


def test_packages_that_are_there_are_no_trouble() -> None:
    needs("json", "hvac", "urllib3")


def test_missing_packages_are_named_with_the_command_that_brings_them() -> None:
    with pytest.raises(MastodonError) as reported:
        needs("json", "no_such_package", "nor_this")
    python = sys.executable
    assert str(reported.value) == (
        f"Python {python}: no_such_package nor_this missing. "
        f"Install them: {python} -m pip install no_such_package nor_this."
    )


# What site.yml never needs: it opens and seals backups of Vault.
APART = {"pyrage"}
# What Ansible itself cannot do without.
OF_ANSIBLE = {"yaml", "cryptography"}
WITHOUT = """
import importlib.machinery, pathlib, sys
class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else super().find_spec(name, path, target)
sys.meta_path = [Finder if one is importlib.machinery.PathFinder else one for one in sys.meta_path]
sys.path[:0] = [{root!r} + "/.collections"]
import importlib
for file in sorted(pathlib.Path({root!r}, "plugins").glob("*/*.py")):
    if file.parent.name in ("action", "modules"):
        importlib.import_module(f"ansible_collections.fediverse.mastodon.plugins.{{file.parent.name}}.{{file.stem}}")
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import doctor, preconditions
for task in (doctor, preconditions):
    try:
        task.run_task({{}}, None)
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_all_packages_that_are_missing_are_named_at_once_and_first() -> None:
    hidden = set(EVERYTHING) - OF_ANSIBLE
    root = str(Path(__file__).parents[4])
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(hidden=hidden, root=root)], capture_output=True, text=True, check=False
    )
    names = " ".join(PACKAGES.get(name, name) for name in EVERYTHING if name in hidden)
    sentence = f"MastodonError Python {sys.executable}: {names} missing. Install them: {sys.executable} -m pip install {names}."
    assert said.stdout.splitlines() == [sentence] * 2, said.stderr


def test_everything_is_what_any_file_asks_for() -> None:
    asked = {
        name
        for file in Path(__file__).parents[4].glob("plugins/module_utils/**/*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith('needs("')
        for name in line.split('"')[1::2]
    }
    assert asked <= set(EVERYTHING) | APART
    assert len(asked) > 8
