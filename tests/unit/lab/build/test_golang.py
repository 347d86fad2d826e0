# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab.build import golang
from mastodon_lab.build.components import Component, Patch
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store
from mastodon_lab.errors import LabError

from .conftest import Program

PATCH = Patch("example.org/Shout/thing", "v1.0.0", "thing", drops=("cloud",), swaps=(("Old", "new"),))
ONE = Component("One Thing", "v1", "cluster", {"one": "example.org/one/cmd"}, 1, {"main.Version": "v1"})
OURS = Component("Ours", "v1", "stand-ins", {"ours": "lab/stand-ins/ours"}, 1)
TWO = Component("Two", "v2", "cluster", {"a": "example.org/two/a", "b": "example.org/two/b"}, 1)

# Writes what it is asked, and makes the programs.
GO = """\
echo "$PWD: $GOMODCACHE $GOFLAGS $CGO_ENABLED: $*" >> {asked}
while [ $# -gt 0 ]; do
  if [ "$1" = -o ]; then case "$2" in */) touch "$2a" "$2b" ;; *) touch "$2" ;; esac; fi
  shift
done
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our go folder with one overlay, in place of the real one."""
    folder = tmp_path / "modules"
    for name in ("cluster", "overlay/thing/register"):
        (folder / name).mkdir(parents=True)
    (folder / "cluster/go.mod").write_text("module lab/cluster\n")
    (folder / "overlay/thing/register/register.go").write_text("package register // ours\n")
    monkeypatch.setattr(golang, "MODULES", folder)
    monkeypatch.setattr(golang, "PATCHES", (PATCH,))
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """The patched module as Go's module cache has it: read-only, upper case escaped."""
    folder = tmp_path / "cache/go/mod/example.org/!shout/thing@v1.0.0"
    for name in ("cloud", "register"):
        (folder / name).mkdir(parents=True)
    (folder / "go.mod").write_text("require example.org/Old v1\n")
    (folder / "main.go").write_text("package main // Old\n")
    (folder / "register/register.go").write_text("package register // theirs\n")
    for path in folder.rglob("*"):
        path.chmod(0o555)
    return folder


def go(tmp_path: Path, program: Program, lines: str = GO) -> Go:
    asked = tmp_path / "asked"
    return Go(program("go", lines.format(asked=asked)), Store(tmp_path / "cache"), tmp_path / "go.log")


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "asked").read_text().splitlines()


def test_a_patched_copy_has_drops_overlay_and_swaps(
    tmp_path: Path, program: Program, modules: Path, published: Path
) -> None:
    copy = go(tmp_path, program).workspace() / "src/thing"
    assert not (copy / "cloud").exists()
    assert (copy / "go.mod").read_text() == "require example.org/new v1\n"
    assert (copy / "main.go").read_text() == "package main // new\n"
    assert (copy / "register/register.go").read_text() == "package register // ours\n"
    assert (published / "main.go").read_text() == "package main // Old\n"
    assert not (copy.parents[1] / "overlay").exists()
    assert (copy.parents[1] / "cluster/go.mod").read_text() == (modules / "cluster/go.mod").read_text()


@pytest.mark.usefixtures("modules", "published")
def test_one_package_is_built_under_its_program_s_name(tmp_path: Path, program: Program) -> None:
    built = go(tmp_path, program).build(ONE)
    (call,) = asked(tmp_path)
    where, settings, command = call.split(": ")
    assert where.endswith("/cluster")
    assert settings == f"{tmp_path}/cache/go/mod  0"
    assert "build -trimpath -buildvcs=false -ldflags -s -w -X main.Version=v1 -o " in command
    assert built["one"].name == "one"
    assert built["one"].is_file()


@pytest.mark.usefixtures("modules", "published")
def test_what_is_left_out_of_a_program_makes_another_one_of_it(tmp_path: Path, program: Program) -> None:
    toolchain = go(tmp_path, program)
    whole, part = toolchain.build(ONE), toolchain.build(replace(ONE, tags=("small", "quiet")))
    assert whole != part
    first, second = asked(tmp_path)
    assert "-tags" not in first
    assert " -tags small,quiet -o " in second


@pytest.mark.usefixtures("modules", "published")
def test_several_packages_are_built_by_one_command(tmp_path: Path, program: Program) -> None:
    built = go(tmp_path, program).build(TWO)
    (call,) = asked(tmp_path)
    assert call.endswith("/ example.org/two/a example.org/two/b")
    assert [path.is_file() for path in built.values()] == [True, True]


@pytest.mark.usefixtures("published")
def test_nothing_is_built_twice_until_a_module_changes(tmp_path: Path, program: Program, modules: Path) -> None:
    toolchain = go(tmp_path, program)
    first = toolchain.build(ONE)
    assert toolchain.build(ONE) == first
    (modules / "cluster/go.mod").write_text("module lab/cluster // changed\n")
    assert toolchain.build(ONE) != first
    assert len(asked(tmp_path)) == 2


@pytest.mark.usefixtures("published")
def test_a_change_for_controllers_builds_them_anew_but_not_the_cluster(
    tmp_path: Path, program: Program, modules: Path
) -> None:
    (modules / "controllers").mkdir()
    toolchain = go(tmp_path, program)
    controller = replace(TWO, module="controllers")
    before = toolchain.build(ONE), toolchain.build(controller)
    (modules / "overlay/thing/register/register.go").write_text("package register // changed\n")
    assert toolchain.build(ONE) == before[0]
    assert toolchain.build(controller) != before[1]


def test_ours_is_built_where_it_is_and_again_only_after_a_change_to_it(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "stand_ins"
    ours.mkdir()
    for name in ("go.mod", "main.go", "README.md"):
        (ours / name).write_text(name)
    monkeypatch.setattr(golang, "STAND_INS_MODULE", ours)
    toolchain = go(tmp_path, program)
    first = toolchain.build(OURS)
    (ours / "README.md").write_text("changed")
    assert toolchain.build(OURS) == first
    (ours / "main.go").write_text("changed")
    assert toolchain.build(OURS) != first
    assert [call.split(": ")[0] for call in asked(tmp_path)] == [str(ours)] * 2


@pytest.mark.usefixtures("modules")
def test_kind_is_built_where_it_is_with_nothing_of_what_is_patched(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "kind_tools"
    tools.mkdir()
    (tools / "go.mod").write_text("module lab/kind\n")
    monkeypatch.setattr(golang, "KIND_MODULE", tools)
    go(tmp_path, program).build(replace(OURS, module="kind"))
    assert [call.split(": ")[0] for call in asked(tmp_path)] == [str(tools)]


@pytest.mark.usefixtures("modules", "published")
def test_a_failed_build_is_one_sentence(tmp_path: Path, program: Program) -> None:
    toolchain = go(tmp_path, program, "echo 'undefined: x' >&2; exit 1")
    with pytest.raises(LabError, match=r"^Building One Thing: undefined: x\. Check that this machine reaches"):
        toolchain.build(ONE)


@pytest.mark.usefixtures("modules")
def test_a_module_is_fetched_unless_it_is_there(tmp_path: Path, program: Program, published: Path) -> None:
    toolchain = go(tmp_path, program)
    assert toolchain.module(PATCH.module, PATCH.version) == published
    assert not (tmp_path / "asked").exists()
    toolchain.module("example.org/other", "v2.0.0")
    assert asked(tmp_path)[0].endswith("mod download example.org/other@v2.0.0")
