# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/defaults.md: what holds for each setting for which `ansible-doc` can only say `default: null`."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .conftest import ROOT

PAGE = ROOT / "docs/defaults.md"
INTRODUCTION = """\
# Defaults that follow from other settings

`ansible-doc` shows `default: null` for these settings, as what holds for them is worked out from others. What a setting is not set to, it gets by
the expression here. "size" means that it follows from `mastodon_size`: `{{ {'mastodon_size': 'small'} | fediverse.mastodon.sizing }}` shows
all such numbers.

This table is written by `UPDATE_DOCS=1 pytest tests/unit/roles/test_changes.py -k of_every`.

| setting | without it |
|---|---|"""
# Names of versions, which are shown as they are.
PIN = re.compile(r"\{\{ (\w+_pins)\.(\w+) \}\}")
# What is said when the other setting is not set either.
MISSING = re.compile(r" or undef\(hint='[^']*'\)")


def merged(pattern: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in sorted(ROOT.glob(pattern)):
        found |= yaml.safe_load(file.read_text()) or {}
    return found


DEFAULTS = merged("roles/*/defaults/main.yml")
PINS = merged("roles/*/vars/main/versions.yml") | merged("roles/common/vars/main.yml")


def specs() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        found |= yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"]
    return found


def computed() -> dict[str, Any]:
    """Return the settings that have a default which their documentation does not tell."""
    return {
        name: DEFAULTS[name]
        for name, spec in specs().items()
        if spec.get("default") is None and not spec.get("required") and name in DEFAULTS
    }


def shown(default: Any) -> str:
    """Return a default as the page shows it."""
    if default is None:
        return "size"
    text = default if isinstance(default, str) else yaml.safe_dump(default, default_flow_style=True).strip()
    text = PIN.sub(lambda pin: str(PINS[pin[1]][pin[2]]), text)
    text = MISSING.sub("", " ".join(text.split())).replace("|", "\\|")
    return f"`{text}`"


def page() -> str:
    rows = [f"| `{name}` | {shown(default)} |" for name, default in sorted(computed().items())]
    return "\n".join([INTRODUCTION, *rows, ""])
