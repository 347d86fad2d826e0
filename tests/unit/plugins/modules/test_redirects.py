# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that modules had before still lead to them."""

from __future__ import annotations

import pytest
import yaml
from ansible.plugins.loader import action_loader, module_loader

from .test_documentation import MODULES, PLUGINS

ROUTES = yaml.safe_load((PLUGINS.parent / "meta/runtime.yml").read_text())["plugin_routing"]
FORMER = {"status": "status_info"}


@pytest.mark.parametrize(("former", "name"), FORMER.items())
def test_the_former_name_is_found_as_action_and_as_module(former: str, name: str) -> None:
    for loader in (action_loader, module_loader):
        found = loader.find_plugin_with_context(f"fediverse.mastodon.{former}")
        assert found.resolved_fqcn == f"fediverse.mastodon.{name}"
    assert name in MODULES


def test_actions_and_modules_are_redirected_alike() -> None:
    assert ROUTES["action"] == ROUTES["modules"]
    assert ROUTES["modules"].keys() == FORMER.keys()
