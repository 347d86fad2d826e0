# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several roles read is defined once, in role common, and nobody has another value to fall back to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

from .conftest import ROOT, Site
from .documents import strings

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
# Keys of tasks whose values are expressions without braces.
CONDITIONS = ("when", "that", "until", "changed_when", "failed_when", "break_when")
# Nothing is rendered by it.
JINJA = Environment(autoescape=True)


def files(role: str, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((ROOT / "roles" / role / folder).rglob("*")) if path.is_file())


def owners() -> Iterator[tuple[str, str]]:
    """Return each variable of a role's defaults and vars with that role."""
    for role in ROLES:
        for file in files(role, "defaults", "vars"):
            yield from ((name, role) for name in yaml.safe_load(file.read_text()) or {})


OWNERS = dict(owners())


def expressions(document: Any) -> Iterator[str]:
    """Return every template in a document."""
    for key, value in strings(document):
        yield f"{{{{ {value} }}}}" if key in CONDITIONS and "{{" not in value else value


def parsed(file: Path) -> Iterator[nodes.Template]:
    text = file.read_text()
    found = [text] if file.suffix == ".j2" else expressions(yaml.safe_load(text))
    yield from (JINJA.parse(template) for template in found if re.search(r"\{[{%]", template))


def names(template: nodes.Template) -> set[str]:
    return {node.name for node in template.find_all(nodes.Name)}


def fallbacks(template: nodes.Template) -> Iterator[str]:
    """Return the variables of roles that the template can do without."""
    for filtered in template.find_all(nodes.Filter):
        if filtered.name in ("default", "d") and isinstance(filtered.node, nodes.Name):
            yield filtered.node.name
    for test in template.find_all(nodes.Test):
        if test.name in ("defined", "undefined") and isinstance(test.node, nodes.Name):
            yield test.node.name


def mentions(role: str, find: Callable[[nodes.Template], Iterable[str]]) -> set[tuple[str, str]]:
    """Return each variable that `find` sees in the role's templates, with the file that it stands in."""
    return {
        (name, str(file.relative_to(ROOT)))
        for file in files(role, "defaults", "vars", "tasks", "templates")
        for template in parsed(file)
        for name in find(template)
    }


def test_no_variable_is_defined_twice() -> None:
    assert [name for name, times in Counter(name for name, _unused in owners()).items() if times > 1] == []


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_reads_is_its_own_or_stands_in_common(role: str) -> None:
    assert sorted(one for one in mentions(role, names) if OWNERS.get(one[0], role) not in (role, "common")) == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "common"])
def test_a_role_depends_on_common_and_on_nothing_else(role: str) -> None:
    found = yaml.safe_load((ROOT / "roles" / role / "meta/main.yml").read_text())["dependencies"]
    assert found == [{"role": "fediverse.mastodon.common"}]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_falls_back_where_a_variable_has_its_owner(role: str) -> None:
    assert sorted(one for one in mentions(role, fallbacks) if one[0] in OWNERS) == []


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.name)
def test_no_playbook_falls_back_where_a_variable_has_its_owner(playbook: Path) -> None:
    found = {name for template in parsed(playbook) for name in fallbacks(template)}
    assert sorted(found & OWNERS.keys()) == []


def test_a_setting_that_one_role_alone_reads_stands_in_that_role() -> None:
    readers: dict[str, set[str]] = {}
    for role in ROLES:
        for file in files(role, "defaults", "vars", "tasks", "templates"):
            for name in (name for template in parsed(file) for name in names(template)):
                readers.setdefault(name, set()).add(role)
    # The rules about settings read these for role doctor.
    for file in (ROOT / "plugins/plugin_utils/_rules").glob("*.py"):
        for name in re.findall(r'"(\w+)"', file.read_text()):
            readers.setdefault(name, set()).add("doctor")
    settings = yaml.safe_load((ROOT / "roles/common/defaults/main.yml").read_text())
    assert [name for name in settings if all(name.startswith(f"{role}_") for role in readers.get(name, ()))] == []


def test_site_shows_no_role_the_variables_of_another() -> None:
    """As when a role is used alone. Ansible would also put all of them together anew for each task."""
    (play,) = yaml.safe_load((ROOT / "playbooks/site.yml").read_text())
    imported = [task["ansible.builtin.import_role"] for task in play["tasks"]]
    assert [one["name"] for one in imported if one.get("public", True)] == []


@pytest.mark.parametrize("role", ROLES)
def test_every_loop_ends_with_its_first_failure(role: str) -> None:
    tasks = [task for file in files(role, "tasks") for task in yaml.safe_load(file.read_text()) if "loop" in task]
    assert [task["loop_control"].get("break_when") for task in tasks] == [
        f"{task['register']} is failed" for task in tasks
    ]


@pytest.mark.parametrize(
    ("address", "namespaces"),
    [
        ("http://s3.storage.svc:8333", ["storage"]),
        ("https://s3.storage.svc.cluster.local/", ["storage"]),
        ("db-rw.data-bases.svc", ["data-bases"]),
        ("db.databases.svc:5432", ["databases"]),
        ("http://s3.storage.svcs.example.org", []),
        ("https://s3.example.org/one.two.svc", []),
        ("storage.svc", []),
        ("", []),
    ],
)
def test_the_namespace_of_a_service_is_found_in_its_address(address: str, namespaces: list[str]) -> None:
    assert Site(address=address).rendered("{{ address | regex_findall(common_service_namespace) }}") == namespaces


@pytest.mark.parametrize("role", [role for role in ROLES if role != "common"])
def test_no_other_role_has_a_pattern_of_a_service_s_address(role: str) -> None:
    found = [file for file in files(role, "defaults", "vars", "tasks", "templates") if "[.]svc" in file.read_text()]
    assert found == []
