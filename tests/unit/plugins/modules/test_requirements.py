# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that a module is documented to need, on whatever host it runs, are those that it and all it stands on import."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import PACKAGES

from .test_documentation import MODULES, PACKAGE, PLUGINS

OWN = f"{PACKAGE}.module_utils"
LEAST = dict(re.findall(r"^([\w-]+)>=([\d.]+)$", (PLUGINS.parent / "requirements.txt").read_text(), re.MULTILINE))
PYTHON = "python >= 3.11"
# Both kinds of server are asked by one file, each with a package that is imported once it is asked.
NEVER_ASKED = {"postgresql_check": {"redis"}, "redis_check": {"pg8000", "requests"}}


def imported(file: Path) -> set[str]:
    """Return all names that a file imports, at its top or where they are used, and those that it asks for by `needs`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "needs":
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def files_of(name: str) -> Iterator[Path]:
    """Yield the files of a name below module_utils: a module, or a package with what it imports by itself."""
    path = PLUGINS / Path(*name.removeprefix(f"{PACKAGE}.").split("."))
    yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


def everything_imported(file: Path) -> set[str]:
    """Return what a file imports, and all that is imported on its behalf."""
    found: set[str] = set()
    waiting, seen = [file], {file}
    while waiting:
        names = imported(waiting.pop())
        found |= names
        new = {file for name in names if name.startswith(OWN) for file in files_of(name)} - seen
        seen |= new
        waiting += new
    return found


def packages(names: set[str]) -> set[str]:
    """Return of imports the packages that come neither with Python nor with Ansible."""
    roots = {name.partition(".")[0] for name in names}
    foreign = roots - set(sys.stdlib_module_names) - {"ansible", "ansible_collections", "__future__"}
    return {PACKAGES.get(root, root.replace("_", "-")) for root in foreign}


def documented(name: str) -> list[str]:
    """Return the requirements that `ansible-doc` shows, those of the fragments included."""
    own: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{name}").DOCUMENTATION)
    found = list(own.get("requirements", []))
    for fragment in own["extends_documentation_fragment"]:
        file, _unused, part = fragment.removeprefix("fediverse.mastodon.").partition(".")
        class_ = importlib.import_module(f"{PACKAGE}.doc_fragments.{file}").ModuleDocFragment
        found += yaml.safe_load(getattr(class_, (part or "documentation").upper())).get("requirements", [])
    return found


@pytest.mark.parametrize("name", MODULES)
def test_a_module_needs_what_it_says(name: str) -> None:
    needed = packages(everything_imported(PLUGINS / f"modules/{name}.py")) - NEVER_ASKED.get(name, set())
    said = documented(name)
    assert len(said) == len(set(said))
    assert set(said) == {PYTHON} | {f"{package} >= {LEAST[package]}" for package in needed}


def test_the_requirements_for_the_controller_are_those_of_all_modules_and_actions() -> None:
    files = [*PLUGINS.rglob("*.py")]
    assert packages(set().union(*map(imported, files))) == LEAST.keys() - {"ansible-core"}
