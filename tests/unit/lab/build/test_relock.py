# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from mastodon_lab.build import golang, relock, tools
from mastodon_lab.build.golang import Workspace
from mastodon_lab.build.tools import Tools


class Selecting:
    """A Go that writes what it selected into the workspace."""

    def __init__(self, *_: object) -> None:
        pass

    def fill(self, into: Path, workspace: Workspace) -> None:
        for folder in workspace.modules.iterdir():
            (into / folder.name).mkdir(parents=True)

    def run(self, what: str, *arguments: str, cwd: Path) -> None:
        assert arguments == ("list", "-mod=mod", "-deps", "tool")
        if cwd.name in ("stand-ins", "kind", "prometheus"):
            assert (cwd / "go.mod").read_text() == "\texample.org/shared v2.0.0 // indirect\n\texample.org/own v1.0.0\n"
        if cwd.name == "rclone":
            # What it was released with.
            assert (cwd / "go.mod").read_text() == "\texample.org/shared v1.0.0 // indirect\n\texample.org/own v1.0.0\n"
        (cwd / "go.mod").write_text(f"\texample.org/shared v2.0.0 // {cwd.name}\n")
        (cwd / "go.sum").write_text(f"{cwd.name}'s go.sum")


def test_all_modules_are_renewed_with_the_same_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("go", "go_rook", "stand_ins", "kind", "prometheus", "rclone")
    modules, rook, stand_ins, kind, prometheus, rclone = (tmp_path / name for name in names)
    for folder in (modules / "cluster", modules / "controllers", rook / "rook", stand_ins, kind, prometheus, rclone):
        folder.mkdir(parents=True)
    for folder in (stand_ins, kind, prometheus, rclone):
        (folder / "go.mod").write_text("\texample.org/shared v1.0.0 // indirect\n\texample.org/own v1.0.0\n")
    monkeypatch.setattr(relock, "KIND_MODULE", kind)
    monkeypatch.setattr(relock, "PROMETHEUS_MODULE", prometheus)
    monkeypatch.setattr(relock, "RCLONE_MODULE", rclone)
    monkeypatch.setattr(golang, "MODULES", modules)
    monkeypatch.setattr(golang, "ROOK_MODULES", rook)
    monkeypatch.setattr(relock, "STAND_INS_MODULE", stand_ins)
    monkeypatch.setattr(relock, "Go", Selecting)
    monkeypatch.setattr(tools, "install", lambda *_: Tools(tmp_path, tmp_path, tmp_path))
    relock.main(tmp_path / "cache")
    for folder, name in (
        (modules / "cluster", "cluster"),
        (modules / "controllers", "controllers"),
        (rook / "rook", "rook"),
        (stand_ins, "stand-ins"),
        (kind, "kind"),
        (prometheus, "prometheus"),
        (rclone, "rclone"),
    ):
        assert (folder / "go.mod").read_text() == f"\texample.org/shared v2.0.0 // {name}\n"
        assert (folder / "go.sum").read_text() == f"{name}'s go.sum"
