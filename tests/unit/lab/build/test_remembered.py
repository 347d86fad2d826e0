# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mastodon_lab.build import remembered
from mastodon_lab.build.plan import Built
from mastodon_lab.build.remembered import recall, remember
from mastodon_lab.lab import Lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    (tmp_path / "state").mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/versions.py").write_text("1")
    monkeypatch.setattr(remembered, "SOURCES", tmp_path / "sources")
    return Lab("test", 9, tmp_path / "state", tmp_path / "cache")


@pytest.fixture
def built(tmp_path: Path) -> Built:
    for name in ("kubectl", "image", "mirror", "crd"):
        (tmp_path / name).mkdir()
    return Built({"kubectl": tmp_path / "kubectl"}, (tmp_path / "image",), tmp_path / "mirror", tmp_path / "crd")


def test_what_was_built_is_recalled(lab: Lab, built: Built) -> None:
    assert recall(lab) is None
    remember(lab, built)
    assert recall(lab) == built


def test_other_sources_parts_or_caches_are_built_anew(lab: Lab, built: Built, tmp_path: Path) -> None:
    remember(lab, built)
    assert recall(replace(lab, parts=frozenset({"traefik"}))) is None
    assert recall(replace(lab, cache=tmp_path)) is None
    (tmp_path / "sources/versions.py").write_text("2")
    assert recall(lab) is None


@pytest.mark.parametrize("gone", ["kubectl", "image", "mirror", "crd"])
def test_what_is_gone_is_built_anew(lab: Lab, built: Built, tmp_path: Path, gone: str) -> None:
    remember(lab, built)
    (tmp_path / gone).rmdir()
    assert recall(lab) is None


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"programs": 1}'])
def test_a_broken_note_is_none(lab: Lab, note: str) -> None:
    (lab.state / "built.json").write_text(note)
    assert recall(lab) is None
