# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.needs import unmet

NEED = {"variable": "gateway_class", "because": "the Gateway is made here", "unless": "gateway_install to false"}


def test_an_unmet_need_says_what_to_do() -> None:
    assert unmet([{**NEED, "needed": True}]) == [
        "Variable gateway_class: missing: the Gateway is made here. "
        "Set it in your inventory, or set gateway_install to false."
    ]


def test_a_met_need_says_nothing() -> None:
    assert unmet([{**NEED, "needed": False}]) == []
