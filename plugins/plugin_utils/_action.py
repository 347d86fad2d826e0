# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's entry point of every engine: in this process for connection `local`, else a module on the target.

A module costs about 300 ms before it does anything; an action costs 15 ms, and shares what is imported at the top of
its file with every other task.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from types import MappingProxyType
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen, way_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run, Task
from ansible_collections.fediverse.mastodon.plugins.plugin_utils import _connections
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._inventory import with_inventory
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._oldest import AnsibleError
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._warm import hide

hide()


def plain(value: Any) -> Any:
    """Return `value` without the tags that ansible-core 2.19 puts on strings, numbers, dicts and lists.

    Serialisers look at exact types. A YAML date becomes its ISO text, as Kubernetes objects and secrets hold no dates.
    """
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return str(value.isoformat())
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


class EngineAction(ActionBase):
    """Base of the actions. A subclass says which task it `runs`, and may `prepare` options in the controller."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    runs: Task
    # Options that are variables of the inventory as well, besides those about connections.
    variables: Mapping[str, str] = MappingProxyType({})

    def prepare(self, parameters: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options for the engine, such as with templates rendered. Runs in the controller always."""
        return parameters

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Validate, prepare, run here or there; an error becomes the one sentence that the user reads."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        # Without tags before they are validated, as that copies all of them, and copying tags takes most of a task's time.
        self._task.args = plain({**self._of_inventory(task_vars), **self._task.args})
        validated, parameters = self.validate_argument_spec(**self.runs.arguments.spec())
        try:
            prepared = self.prepare(parameters, task_vars)
            if self._is_local():
                with self.environment() as environment:
                    result.update(self.runs.engine(prepared, self._run(environment)))
            else:
                result.update(self._on_target(prepared, task_vars))
        except MastodonError as error:
            result.update(failed=True, msg=str(error))
        except AnsibleError:
            raise
        except Exception as error:
            self._display.vvv(way_of(error))
            result.update(failed=True, msg=str(unforeseen(f"Module {self._task.action}", error)))
        # As AnsibleModule does: what a no_log option held is shown nowhere.
        cleaned: dict[str, Any] = with_inventory(remove_values(result, validated._no_log_values))
        return cleaned

    def _of_inventory(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options that the task leaves to the inventory."""
        shared = [one for one in self.variables.items() if one[1] in task_vars]
        left = (*_connections.options(self.runs.arguments.options, task_vars), *shared)
        found = {
            name: self._templar.template(task_vars[variable]) for name, variable in left if name not in self._task.args
        }
        return {name: value for name, value in found.items() if value not in (None, "")}

    def _is_local(self) -> bool:
        return self._connection.transport == "local" and not self._play_context.become

    def _run(self, environment: Mapping[str, str]) -> Run:
        return Run(check=self._task.check_mode, diff=self._task.diff, say=self._say, environment=environment)

    def _say(self, line: str) -> None:
        self._display.display(with_inventory(line))

    @contextmanager
    def environment(self) -> Iterator[Mapping[str, str]]:
        """Be in the environment of the task, as a module is: clients of all servers look for proxies there.

        Ansible forks for every task, so that no other one sees it; afterwards it is as before.
        """
        before = dict(os.environ)
        inside = together(before, self._task_environment())
        _become(inside)
        try:
            yield inside
        finally:
            _become(before)

    def _task_environment(self) -> dict[str, str]:
        """Return what the `environment` keyword of the play, block and task adds. Ansible passes it to modules only."""
        added: dict[str, str] = {}
        for level in self._task.environment or []:
            added.update({str(key): str(value) for key, value in (self._templar.template(level) or {}).items()})
        return added

    def _on_target(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value is not None}
        # The module would write its options to the target's log, and -vvv show them: credentials and Secrets are among these.
        task_vars = {**task_vars, "ansible_no_target_syslog": True}
        result: dict[str, Any] = self._execute_module(
            module_name=self._task.action, module_args=given, task_vars=task_vars
        )
        result.pop("invocation", None)
        for line in result.pop("messages", []):
            self._say(line)
        return result


def _become(environment: Mapping[str, str]) -> None:
    if os.environ != environment:
        os.environ.clear()
        os.environ.update(environment)


def together(outer: Mapping[str, str], inner: Mapping[str, str]) -> dict[str, str]:
    """Return both environments as one. A proxy that the inner one names by either spelling replaces both of the outer one."""
    proxies = {name.lower() for name in inner if name.lower().endswith("_proxy")}
    return {name: value for name, value in outer.items() if name.lower() not in proxies} | dict(inner)
