# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ansible-doc` says of an option is what the code does: for every module, action and remote entry point alike."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

PLUGINS = Path(__file__).parents[4] / "plugins"
PACKAGE = "ansible_collections.fediverse.mastodon.plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


def documented(module: Any) -> dict[str, Any]:
    """Return the options as documented, those of the fragments included."""
    own = yaml.safe_load(module.DOCUMENTATION)
    options: dict[str, Any] = dict(own.get("options") or {})
    for name in own["extends_documentation_fragment"]:
        _unused, _unused, fragment = name.removeprefix("fediverse.mastodon.").partition(".")
        file = importlib.import_module(
            f"{PACKAGE}.doc_fragments.{name.removeprefix('fediverse.mastodon.').split('.')[0]}"
        )
        text = getattr(file.ModuleDocFragment, (fragment or "documentation").upper())
        options.update(yaml.safe_load(text).get("options") or {})
    return options


def compared(option: Mapping[str, Any], nested: str) -> dict[str, Any]:
    """Return what an option's documentation and its argument spec must agree on."""
    inner = option.get(nested) or {}
    return {
        "type": option.get("type", "str"),
        "required": bool(option.get("required", False)),
        "default": option.get("default"),
        "elements": option.get("elements"),
        "choices": option.get("choices"),
        "options": {name: compared(sub, nested) for name, sub in inner.items()},
    }


@pytest.mark.parametrize("name", MODULES)
def test_the_argument_spec_is_what_is_documented(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    spec = action.runs.arguments.options
    assert {key: compared(option, "options") for key, option in spec.items()} == {
        key: compared(option, "suboptions") for key, option in documented(module).items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_how_it_behaves(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    own = yaml.safe_load(module.DOCUMENTATION)
    assert any(
        fragment.startswith("fediverse.mastodon.attributes") for fragment in own["extends_documentation_fragment"]
    )
    assert yaml.safe_load(module.EXAMPLES)


def test_every_action_has_a_module_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == MODULES


def test_every_module_is_in_an_action_group() -> None:
    groups = yaml.safe_load((PLUGINS.parent / "meta/runtime.yml").read_text())["action_groups"]
    assert {f"fediverse.mastodon.{name}" for name in MODULES} == {name for group in groups.values() for name in group}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_returns(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    returned = yaml.safe_load(module.RETURN)
    assert returned
    assert all(entry["description"] and entry["returned"] and entry["type"] for entry in returned.values())
