# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles rendered as site.yml would, without a cluster: what their `apply` tasks would apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from weakref import finalize

import jinja2
import pytest
import yaml
from ansible._internal._templating import _jinja_bits
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import plain
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._documents import parse

ROOT = Path(__file__).parents[3]
APPLY = "fediverse.mastodon.apply"
LOADER = DataLoader()

# The least that a user sets.
SETTINGS: Mapping[str, Any] = {
    "inventory_hostname": "production",
    "mastodon_local_domain": "example.org",
    "mastodon_smtp_server": "smtp.example.org",
    "rook_backend": "external",
    "rook_external_endpoint": "https://s3.example.org",
    "rook_external_bucket": "mastodon",
    "vault_address": "https://vault.example.org:8200",
    "cert_manager_acme_email": "admin@example.org",
    "gateway_class": "traefik",
    "external_dns_provider": "cloudflare",
    "external_dns_zones": ["example.org"],
}
# What Ansible defines, and what is typed where Vault is restored.
TYPED = {"omit": "(omitted)", "file": "backup.age", "identity_file": "key.txt", "rotate": "database"}


def _code_of(environment: jinja2.Environment, text: str, name: str | None, filename: str | None) -> tuple[Any, ...]:
    """Return all that the code of a text follows from."""
    # How a lexer reads a backslash is up to who asks; for all else it stands for its settings.
    read = tuple(environment.lex(text, name, filename)) if "\\" in text else text
    settings = (environment.optimized, environment.finalize, environment.autoescape, environment.is_async)
    return (read, name, filename, type(environment), environment.lexer, *environment.extensions, *settings)


def _compiled_once() -> None:
    """Compile each text once in all sites, as that takes most of the time."""
    compiled = jinja2.Environment.compile
    known: dict[Any, Any] = {}

    def compile_once(
        self: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        if not isinstance(source, str):
            return compiled(self, source, name, filename, raw, defer_init)
        key = (*_code_of(self, source, name, filename), raw, defer_init)
        if key not in known:
            known[key] = compiled(self, source, name, filename, raw, defer_init)
        return known[key]

    pytest.MonkeyPatch().setattr(jinja2.Environment, "compile", compile_once)


_compiled_once()

# The variables of each site, beside what was made of them.
_RENDERED: dict[int, tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = {}


def _rendered_once() -> None:
    """Render each variable of a site once, and not at every mention, as that is most of the work. None depends on who mentions it."""
    lazily = _jinja_bits._flatten_and_lazify_vars

    def once(mapping: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        variables, made = _RENDERED.get(id(mapping), (None, []))
        if variables is not mapping:
            yield from lazily(mapping)
            return
        if not made:
            made.extend(lazily(mapping))
        yield from made

    pytest.MonkeyPatch().setattr(_jinja_bits, "_flatten_and_lazify_vars", once)


_rendered_once()


@cache
def _read(file: Path) -> Any:
    """Return what a file of a role says, which nobody may change."""
    return LOADER.load_from_file(str(file), trusted_as_template=True)


@cache
def _variables(roles: tuple[str, ...]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for folder in ("defaults", "vars"):
        for file in sorted(file for role in roles for file in ROOT.glob(f"roles/{role}/{folder}/**/*.yml")):
            found |= _read(file) or {}
    return found


def _flat(tasks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what is in blocks as well, for whatever they are entered."""
    for task in tasks:
        if "block" in task:
            yield from _flat([*task["block"], *task.get("rescue", [])])
        else:
            yield task


class Site:
    """All roles with the settings of one inventory, or one of them `alone` with what it depends on."""

    def __init__(self, alone: str = "", **settings: Any) -> None:
        roles = self._with_dependencies(alone) if alone else ["*"]
        given = LOADER.load(yaml.safe_dump({**SETTINGS, **settings}))
        self.variables = {**_variables(tuple(roles)), **given}
        self._templar = self._with({})

    def _with(self, given: Mapping[str, Any]) -> Templar:
        """Return what renders templates with these variables besides."""
        variables = {**self.variables, **given}
        templar = Templar(loader=LOADER, variables=variables)
        _RENDERED[id(variables)] = (variables, [])
        finalize(templar, _RENDERED.pop, id(variables), None)
        return templar

    def value(self, name: str) -> Any:
        """Return the value of a variable."""
        return plain(self._templar.template(self.variables[name]))

    def rendered(self, text: str) -> Any:
        """Return what a template in a playbook comes to."""
        return plain(self._templar.template(trust_as_template(text)))

    def objects(self, role: str) -> dict[str, Any]:
        """Return every object that the role would apply, by `Kind name`."""
        found: dict[str, Any] = {}
        for task in self._tasks(role, "main.yml"):
            if APPLY in task and self._templar.evaluate_conditional(task.get("when", True)):
                found |= {
                    f"{item['kind']} {item['metadata']['name']}": item for item in self._applied(role, task[APPLY])
                }
        return found

    def tasks(self, role: str, file: str) -> dict[str, Any]:
        """Return what every task in a role's file of tasks would be given, by name; `apply` with what it would apply."""
        found: dict[str, Any] = {}
        for task in self._tasks(role, file):
            (action,) = (key for key in task if "." in key)
            for name, templar in self._items(task):
                found[name] = {
                    "when": templar.evaluate_conditional(task.get("when", True)),
                    action: plain(templar.template(task[action])),
                }
                if action == APPLY and found[name]["when"]:
                    found[name]["applies"] = self._applied(role, task[APPLY])
        return found

    def passes(self, role: str, file: str, name: str) -> bool:
        """Return whether the assertion of this name in a role's file of tasks passes."""
        (task,) = (one for one in self._tasks(role, file) if one["name"] == name)
        that = task["ansible.builtin.assert"]["that"]
        templar = self._with(task.get("vars", {}))
        return all(templar.evaluate_conditional(one) for one in ([that] if isinstance(that, str) else that))

    def _items(self, task: Mapping[str, Any]) -> Iterator[tuple[str, Templar]]:
        """Return the name of a task and what renders it, or both for each item of its loop."""
        given = task.get("vars", {})
        if "loop" not in task:
            yield task["name"], self._with(given) if given else self._templar
            return
        control = task["loop_control"]
        for item in self._templar.template(task["loop"]):
            templar = self._with({**given, control["loop_var"]: item})
            yield f"{task['name']}: {templar.template(control['label'])}", templar

    def _with_dependencies(self, role: str) -> list[str]:
        found = _read(ROOT / "roles" / role / "meta/main.yml")["dependencies"]
        return [one["role"].removeprefix("fediverse.mastodon.") for one in found] + [role]

    def _tasks(self, role: str, file: str) -> Iterator[dict[str, Any]]:
        """Return the tasks of a file, of its blocks and of those that it imports."""
        for task in _flat(_read(ROOT / "roles" / role / "tasks" / file)):
            imported = task.get("ansible.builtin.import_tasks")
            given = task.get("vars", {})
            for one in self._tasks(role, imported) if imported else [task]:
                yield {**one, "vars": {**one.get("vars", {}), **given}}

    def _applied(self, role: str, options: Mapping[str, Any]) -> list[Any]:
        templates = self._templar.template(options.get("templates", []))
        return [
            *plain(self._templar.template(options.get("objects", []))),
            *(document for name in templates for document in self._rendered(role, name)),
        ]

    def _rendered(self, role: str, name: str) -> list[Any]:
        text = (ROOT / "roles" / role / "templates" / name).read_text(encoding="utf-8")
        rendered = plain(self._templar.template(trust_as_template(text), escape_backslashes=False))
        return rendered if isinstance(rendered, list) else parse(rendered or "", name)
