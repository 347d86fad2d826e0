# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible import constants, context
from ansible.utils.context_objects import CLIArgs
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._inventory import with_inventory

REMEDY = "Make one: ansible-playbook -i inventories/mine fediverse.mastodon.backup."
CONFIGURED = constants.config.get_config_value("DEFAULT_HOST_LIST")


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["{here}/inventories/mine"], "-i inventories/mine "),
        (["{here}/inventories/home", "/etc/elsewhere"], "-i inventories/home -i /etc/elsewhere "),
        (["a,b"], "-i a,b "),
        (CONFIGURED, ""),
        (None, "-i inventories/mine "),
    ],
)
def test_a_command_names_the_inventory_of_this_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str] | None, options: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = {} if given is None else {"inventory": [path.format(here=tmp_path) for path in given]}
    monkeypatch.setattr(context, "CLIARGS", CLIArgs(arguments))
    expected = f"Make one: ansible-playbook {options}fediverse.mastodon.backup."
    assert with_inventory(REMEDY) == expected
    result = {"msg": REMEDY, "rows": [{"remedy": REMEDY, "count": 1}], "changed": False}
    assert with_inventory(result) == {"msg": expected, "rows": [{"remedy": expected, "count": 1}], "changed": False}
