# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from mastodon_lab.build import relock, tools
from mastodon_lab.build.tools import Tools


class Selecting:
    """A Go that writes what it selected into the workspace."""

    def __init__(self, *_: object) -> None:
        pass

    def fill(self, into: Path) -> None:
        for module in ("cluster", "controllers"):
            (into / module).mkdir()

    def run(self, what: str, *arguments: str, cwd: Path) -> None:
        assert arguments == ("list", "-mod=mod", "-deps", "tool")
        for name in ("go.mod", "go.sum"):
            (cwd / name).write_text(f"{cwd.name}'s {name}")


def test_both_modules_are_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = tmp_path / "go"
    for module in ("cluster", "controllers"):
        (modules / module).mkdir(parents=True)
    monkeypatch.setattr(relock, "MODULES", modules)
    monkeypatch.setattr(relock, "Go", Selecting)
    monkeypatch.setattr(tools, "install", lambda *_: Tools(tmp_path, tmp_path, tmp_path))
    relock.main(tmp_path / "cache")
    found = {str(path.relative_to(modules)): path.read_text() for path in modules.rglob("go.*")}
    assert found == {
        "cluster/go.mod": "cluster's go.mod",
        "cluster/go.sum": "cluster's go.sum",
        "controllers/go.mod": "controllers's go.mod",
        "controllers/go.sum": "controllers's go.sum",
    }
