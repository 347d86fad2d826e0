# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In-process entry point of the doctor; settings are known only here, in the controller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

# Before the others, as they need what older versions of Ansible and Python have not.
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._oldest import AnsibleError

# isort: split
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import EVERYTHING, needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.doctor import TASK
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction, plain
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import check, names, of_plays, scopes
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._warm import warm

# It comes first where there are many tasks of ours; a task by itself does not wait for what only others need.
warm()

_ROLES = Path(__file__).parents[2] / "roles"


class ActionModule(EngineAction):
    """See plugins/modules/doctor.py for its documentation."""

    runs = TASK

    def prepare(self, parameters: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Check the settings, all at once and then with each other, before anything is asked of a server."""
        if self._is_local():
            needs(*EVERYTHING)
        if parameters["settings"]:
            tags = parameters["playbook_tags"]
            if names.is_left_out(task_vars, tags):
                self._display.display(f"nothing to do: tags of these tasks are {', '.join(tags)}")
            known = names.load(_ROLES, {*of_plays.SETTINGS, *of_plays.TYPED})
            check.refuse_settings(self._inventory(task_vars), known, of_plays.SETTINGS, tags)
        elif parameters["edge"]:
            check.refuse_contradictions(self._inventory(task_vars), _ROLES)
        return parameters

    def _inventory(self, task_vars: Mapping[str, Any]) -> check.Inventory:
        """Return what is set. What roles define is read here, as a setting may mention it and no role sees that of another."""
        seen = scopes.load(_ROLES, partial(self._loader.load_from_file, unsafe=True, trusted_as_template=True))
        hosts = {*task_vars["ansible_play_hosts_all"]} - {task_vars["inventory_hostname"]}
        neighbours = {host: task_vars["hostvars"][host] for host in sorted(hosts)}
        return check.Inventory(task_vars, lambda name: self._value({**seen.of(name), **task_vars}, name), neighbours)

    def _value(self, variables: Mapping[str, Any], name: str) -> Any:
        if name not in variables:
            raise CombinedError([names.undefined(name)])
        try:
            templar = self._templar.copy_with_new_env(available_variables=variables)
            return plain(templar.template(variables[name]))
        except AnsibleError as error:
            why = str(error).split(":", maxsplit=1)[-1].strip().rstrip(".")
            raise CombinedError(
                [f"Variable {name}: cannot be worked out: {why}. Correct it in your inventory."]
            ) from error
