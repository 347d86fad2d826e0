# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task runs: what the engine knows about it besides its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """One run of an engine, in the controller's process or in a module's.

    `check` forbids every write. `diff` asks for before and after. `say` shows one line to the user, at once where the
    connection allows it. `environment` is that of the task.
    """

    check: bool
    diff: bool
    say: Callable[[str], None]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Arguments:
    """The options of one module, in Ansible's argument-spec format, and the rules between them."""

    options: Mapping[str, Any]
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    required_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def spec(self) -> dict[str, Any]:
        """Return the keyword arguments that Ansible's validators and `AnsibleModule` share."""
        return {
            "argument_spec": dict(self.options),
            "mutually_exclusive": [list(group) for group in self.mutually_exclusive],
            "required_one_of": [list(group) for group in self.required_one_of],
            "required_together": [list(group) for group in self.required_together],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": {name: list(others) for name, others in self.required_by.items()},
        }


# What every engine is: validated options and a run in, the task's result as plain dicts and lists out.
Engine = Callable[[Mapping[str, Any], Run], dict[str, Any]]


@dataclass(frozen=True)
class Task:
    """What a module and an action of one name run."""

    arguments: Arguments
    engine: Engine
