# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In-process entry point of the doctor; settings are known only here, in the controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, all_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import EVERYTHING, needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.doctor import TASK
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction, plain
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._connections import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import chart_values, edge
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import (
    given,
    is_left_out,
    load,
    missing,
    misspelt,
    misspelt_tags,
    options_of,
    untouched,
)
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.needs import unmet
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import (
    CLAIM,
    claimed_elsewhere,
    coerced,
    wrong,
)

_ROLES = Path(__file__).parents[2] / "roles"
# What every task reads, and thus no role's.
_PLAY_SETTINGS: Mapping[str, Any] = {"force_conflicts": {"type": "list", "elements": "str"}, **VARIABLES}


class ActionModule(EngineAction):
    """See plugins/modules/doctor.py for its documentation."""

    runs = TASK

    def prepare(self, parameters: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Check the settings, all at once and then with each other, before anything is asked of a server."""
        if self._is_local():
            needs(*EVERYTHING)
        if parameters["settings"]:
            known = load(_ROLES, _PLAY_SETTINGS)
            settings = given(task_vars, known) | task_vars.keys() & set(_PLAY_SETTINGS)
            values = {name: self._value(name, task_vars) for name in sorted(settings)}
            if values.get("rook_backend", task_vars.get("rook_backend")) == "rook":
                values |= {name: self._value(name, task_vars) for name in CLAIM}
            # A kubeconfig may be given as its content; whoever reads it says what is wrong with it, and shows none of it.
            # What follows from a setting is wrong when that is, and told with it; a bucket's name may be too long by itself.
            judged = (settings | {CLAIM[0]}) - {"kubeconfig"}
            shown = {name: value for name, value in values.items() if name in judged}
            problems = (
                self._tags(task_vars, parameters["playbook_tags"]),
                misspelt(task_vars, known),
                missing(values, known),
                untouched(values),
                claimed_elsewhere(values),
                wrong(shown, {**_PLAY_SETTINGS, **known.options}),
            )
            traps = chart_values.problems(values.get("mastodon_values") or {})
            if found := [*chain(*problems), *unmet(parameters["needs"]), *traps]:
                raise CombinedError(found)
            all_of((lambda: self._sized(values), lambda: self._edge(task_vars)))
        elif parameters["edge"]:
            self._edge(task_vars)
        return parameters

    def _tags(self, task_vars: Mapping[str, Any], known: Sequence[str]) -> list[str]:
        if is_left_out(task_vars, known):
            self._display.display(f"nothing to do: tags of these tasks are {', '.join(known)}")
        return misspelt_tags(task_vars, known)

    def _sized(self, values: Mapping[str, Any]) -> list[str]:
        size(values)
        return []

    def _edge(self, task_vars: Mapping[str, Any]) -> list[str]:
        if found := self._contradictions(task_vars):
            raise CombinedError(found)
        return []

    def _contradictions(self, task_vars: Mapping[str, Any]) -> list[str]:
        """Check the edge's settings against each other. Defaults are read here, as their roles may not be in this play."""
        known: dict[str, Any] = {}
        specs: dict[str, Any] = {}
        for role in edge.ROLES:
            known |= self._loader.load_from_file(f"{_ROLES}/{role}/defaults/main.yml", trusted_as_template=True)
            specs |= options_of(_ROLES / role)
        known |= task_vars
        values = {name: self._value(name, known) for name in edge.SETTINGS}
        hosts = {*task_vars["ansible_play_hosts_all"]} - {task_vars["inventory_hostname"]}
        neighbours = {host: task_vars["hostvars"][host] for host in sorted(hosts)}
        return edge.contradictions(coerced(values, specs), neighbours)

    def _value(self, name: str, variables: Mapping[str, Any]) -> Any:
        try:
            templar = self._templar.copy_with_new_env(available_variables=variables)
            return plain(templar.template(variables[name]))
        except AnsibleError as error:
            why = str(error).split(":", maxsplit=1)[-1].strip().rstrip(".")
            raise CombinedError(
                [f"Variable {name}: cannot be worked out: {why}. Correct it in your inventory."]
            ) from error
