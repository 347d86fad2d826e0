# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom, and who may open a socket: the rooms of plugins/ and what each must not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.fediverse.mastodon."
# What opens sockets, or talks over one.
SOCKETS = {
    "ansible.module_utils.urls",
    "dns",
    "http",
    "hvac",
    "pg8000",
    "redis",
    "requests",
    "requests_aws4auth",
    "select",
    "smtplib",
    "socket",
    "ssl",
    "urllib3",
    "websocket",
}
# Names of such packages that are no connection.
HARMLESS = {"http.HTTPStatus"}

BASE = {"_errors", "_run", "_libraries", "_paths"}
PROTOCOLS = {"_kube", "_vault", "_s3", "_dns", "_stores", "_mail"}
# Each room with those that it may know besides itself.
MAY_KNOW: Mapping[str, set[str]] = {
    "_errors": set(),
    "_run": set(),
    "_libraries": {"_errors"},
    "_paths": set(),
    "_environment": set(),
    "_module": {"_errors", "_run"},
    "_net": BASE - {"_run"},
    **{name: (BASE - {"_run"}) | {"_net"} for name in PROTOCOLS},
    "_sizing": {"_errors", "_paths"},
    "_reconcile": {"_errors", "_paths", "_kube"},
    "_federation": (BASE - {"_run", "_libraries"}) | {"_net", "_dns"},
    "_checks": (BASE - {"_run"}) | PROTOCOLS | {"_net", "_reconcile", "_federation", "_environment"},
    "_tasks": BASE | PROTOCOLS | {"_net", "_reconcile", "_checks", "_federation"},
    # Above module_utils.
    "modules": {"_module", "_tasks"},
    "action": BASE | {"_tasks", "plugin_utils"},
    "filter": {"_errors", "_sizing", "_s3", "plugin_utils"},
    "plugin_utils": {"_errors", "_run", "_paths", "_environment", "_net", "_sizing", "_tasks"},
    "doc_fragments": set(),
}
TALKING = PROTOCOLS | {"_net"}


@dataclass(frozen=True)
class File:
    """A file of plugins/, in its room."""

    path: Path
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def room(self) -> str:
        parts = self.path.relative_to(PLUGINS).with_suffix("").parts
        return parts[1] if parts[0] == "module_utils" else parts[0]

    def imports(self) -> Iterator[str]:
        """Yield the full name of everything that is imported, wherever in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files() -> list[File]:
    return [File(path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(PLUGINS.rglob("*.py"))]


FILES = files()
TASKS = {file.path.stem for file in FILES if file.path.parent == PLUGINS / "module_utils/_tasks"}
ENTRIES = [file for file in FILES if file.room in ("modules", "action")]


def talks(file: File) -> bool:
    return any(name == one or name.startswith(f"{one}.") for name in {*file.imports()} - HARMLESS for one in SOCKETS)


def rooms_of(file: File) -> set[str]:
    """Return the rooms that a file imports from, its own left out."""
    found = set()
    for name in file.imports():
        if name.startswith(f"{PACKAGE}plugins."):
            kind, first = name.removeprefix(f"{PACKAGE}plugins.").split(".")[:2]
            found.add(first if kind == "module_utils" else kind)
    return found - {file.room}


def test_every_room_is_known() -> None:
    assert {file.room for file in FILES} == set(MAY_KNOW)


@pytest.mark.parametrize("room", sorted(MAY_KNOW))
def test_a_room_knows_only_those_below_it(room: str) -> None:
    assert {file.name: bad for file in FILES if file.room == room and (bad := rooms_of(file) - MAY_KNOW[room])} == {}


def test_nobody_imports_what_is_no_part_of_the_plugins() -> None:
    assert [
        (file.name, name)
        for file in FILES
        for name in file.imports()
        if name.startswith(PACKAGE) and not name.startswith(f"{PACKAGE}plugins.")
    ] == []


def test_only_the_rooms_of_servers_talk_to_any_and_each_of_them_does() -> None:
    assert [file.name for file in FILES if talks(file) and file.room not in TALKING] == []
    assert {file.room for file in FILES if talks(file)} == TALKING


@pytest.mark.parametrize("room", ["_federation", "_reconcile", "_sizing", *sorted(TALKING)])
def test_what_needs_no_ansible_knows_nothing_of_it(room: str) -> None:
    known = {
        (file.name, name)
        for file in FILES
        if file.room == room
        for name in file.imports()
        if name.partition(".")[0] == "ansible"
    }
    assert {name for _file, name in known} <= {
        "ansible.module_utils.parsing.convert_bool.boolean",
        "ansible.module_utils.urls.open_url",
    }


def options_in(file: File) -> Iterator[str]:
    """Yield the names of options in Ansible's format: dicts of dicts that have a `type`."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(value, ast.Dict) and any(
                    isinstance(inner, ast.Constant) and inner.value == "type" for inner in value.keys
                ):
                    yield ast.unparse(key) if key else ""


@pytest.mark.parametrize("room", [*sorted(TALKING), "_federation", "_reconcile", "_sizing"])
def test_options_of_ansible_are_where_tasks_and_checks_are(room: str) -> None:
    assert {file.name: names for file in FILES if file.room == room and (names := [*options_in(file)])} == {}


def test_a_task_knows_no_other_task() -> None:
    within = f"{PACKAGE}plugins.module_utils._tasks."
    known = {(file.name, name) for file in FILES if file.room == "_tasks" for name in file.imports() if within in name}
    assert [one for one in known if not one[1].startswith(f"{within}_shared.")] == []


# How objects of a cluster, secrets of Vault and buckets are written.
WRITES = {"annotate", "apply", "delete", "put", "reassign", "set_policy", "upload", "write"}


def test_a_check_writes_nothing() -> None:
    writing = {
        (file.name, node.func.attr)
        for file in FILES
        if file.room == "_checks"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
    }
    assert writing == set()


def texts(file: File) -> set[str]:
    return {
        node.value for node in ast.walk(file.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_objects_of_a_cluster_are_opened_in_one_place() -> None:
    opening = [file.name for file in FILES if "Objects(Client(" in ast.unparse(file.tree)]
    assert opening == ["plugins/module_utils/_kube/objects.py"]


def test_who_wrote_an_object_is_read_in_one_place() -> None:
    reading = [file.name for file in FILES if "metadata.managedFields" in texts(file)]
    assert reading == ["plugins/module_utils/_reconcile/managers.py"]


def test_that_a_file_is_private_is_said_by_its_name() -> None:
    assert [file.name for file in FILES if "PRIVATE" in (ast.get_docstring(file.tree) or "")] == []
    shared = [
        path.relative_to(PLUGINS) for kind in ("module_utils", "plugin_utils") for path in PLUGINS.glob(f"{kind}/*")
    ]
    assert [str(path) for path in shared if not path.name.startswith("_")] == []


def test_each_module_has_an_action_and_a_task_of_its_name_and_each_task_a_module() -> None:
    for room in ("modules", "action"):
        assert {file.path.stem for file in ENTRIES if file.room == room} == TASKS


@pytest.mark.parametrize("file", [file for file in ENTRIES if file.room == "modules"], ids=lambda file: file.path.stem)
def test_a_module_is_its_documentation_and_its_task(file: File) -> None:
    task = f"{PACKAGE}plugins.module_utils._tasks.{file.path.stem}.TASK"
    main = f"{PACKAGE}plugins.module_utils._module.main"
    assert set(file.imports()) == {"__future__.annotations", main, task}
    assert ast.unparse(file.tree.body[-1]).splitlines() == ["if __name__ == '__main__':", "    main(TASK)"]


@pytest.mark.parametrize("file", [file for file in ENTRIES if file.room == "action"], ids=lambda file: file.path.stem)
def test_an_action_is_one_class_with_the_task_of_its_name(file: File) -> None:
    assert f"{PACKAGE}plugins.module_utils._tasks.{file.path.stem}.TASK" in file.imports()
    (action,) = [node for node in file.tree.body if isinstance(node, ast.ClassDef)]
    assert "runs = TASK" in [ast.unparse(node) for node in action.body]


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.path.parent == PLUGINS / "module_utils/_tasks"],
    ids=lambda file: file.path.stem,
)
def test_every_task_has_one_engine_of_one_shape(file: File) -> None:
    (engine,) = [node for node in file.tree.body if isinstance(node, ast.FunctionDef) and node.name == "run_task"]
    assert ast.unparse(engine.args) == "parameters: Mapping[str, Any], run: Run"
    assert engine.returns
    assert ast.unparse(engine.returns) == "dict[str, Any]"
    public = [node.name for node in file.tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    assert public == ["run_task"]
