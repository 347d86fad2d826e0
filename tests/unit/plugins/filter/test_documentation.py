# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ansible-doc` says of a filter can be read, and is what the filter takes."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
import yaml

PLUGINS = Path(__file__).parents[4] / "plugins"
FILTERS = sorted(path.stem for path in (PLUGINS / "filter").glob("*.py"))


@pytest.mark.parametrize("name", FILTERS)
def test_a_filters_documentation_is_well_formed_and_names_its_options(name: str) -> None:
    file = importlib.import_module(f"ansible_collections.fediverse.mastodon.plugins.filter.{name}")
    documented = yaml.safe_load(file.DOCUMENTATION)
    assert documented["name"] == name
    assert yaml.safe_load(file.EXAMPLES)
    assert yaml.safe_load(file.RETURN)
    filters = file.FilterModule().filters()
    assert list(filters) == [name]
    taken = list(inspect.signature(filters[name]).parameters)
    assert {"_input", *taken[1:]} == documented["options"].keys()
