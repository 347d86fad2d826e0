# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab has something else than production, it says so, and a pin that moves asks for another look."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mastodon_lab.build.components import COMPONENTS, CONTROLLERS
from mastodon_lab.lab import SITE
from mastodon_lab.pins import PINNED, Pinned

ROOT = Path(__file__).parents[3]
README = ROOT / "lab/README.md"
HEAD = "| program | production gets | the lab has | because |\n|---|---|---|---|\n"


def pins() -> Iterator[tuple[str, str]]:
    """Yield every pin of the roles, but those that only say once more what another one means."""
    for file in ROOT.glob("roles/*/vars/**/*.yml"):
        for name, value in (yaml.safe_load(file.read_text()) or {}).items():
            if name.endswith("_pins"):
                yield from ((f"{name}.{key}", str(pin)) for key, pin in value.items() if not key.endswith("_sha256"))


@pytest.mark.parametrize("row", PINNED, ids=lambda row: row.name)
def test_a_pin_does_not_move_without_a_look_at_what_the_lab_has(row: Pinned) -> None:
    assert dict(pins())[row.pin] == row.looked_at, f"Look at the row {row.name} of lab/mastodon_lab/pins.py anew."


def test_every_pin_has_a_row() -> None:
    assert {row.pin for row in PINNED} == dict(pins()).keys()


def test_whatever_differs_has_a_reason_and_nothing_else_has_one() -> None:
    assert {row.name for row in PINNED if row.instead} == {row.name for row in PINNED if row.because}
    assert not [row.name for row in PINNED if re.search(r"\.$|[|\n]", row.because + row.changed)]


def test_every_controller_that_is_built_for_the_site_is_in_a_row_with_its_version() -> None:
    # Helm is for people, in lab/shell.
    built = {
        one.name: one.version
        for one in COMPONENTS
        if (one.part, one.module) == (SITE, CONTROLLERS) and one.name != "Helm"
    }
    assert len(built) > len(("Flux", "and", "all", "that", "it", "installs"))
    rows = {row.name: row.here for row in PINNED}
    assert {name: rows.get(name) for name in built} == built


def test_nothing_stands_in_but_for_mastodon_and_dragonfly_and_each_says_what_was_tried() -> None:
    stand_ins = [row for row in PINNED if row.stand_in]
    assert {row.name.split()[0] for row in stand_ins} == {"Mastodon", "Dragonfly"}
    folders = {path.name for path in (ROOT / "lab/stand_ins").iterdir() if path.is_dir()}
    assert folders == {"mastodon", "dragonfly"}
    assert not [
        row.name
        for row in stand_ins
        if not re.search("registry has|refuses all|have neither|neither its source", row.because)
    ]


def table() -> str:
    rows = (f"| {row.name} | {row.brings} | {row.instead} | {row.because} |\n" for row in PINNED if row.instead)
    return HEAD + "".join(rows)


def test_the_readme_says_where_the_lab_has_something_else_than_production() -> None:
    """Written by `UPDATE_DOCS=1 pytest tests/unit/lab/test_pins.py`."""
    text = README.read_text(encoding="utf-8")
    written = re.compile(rf"{re.escape(HEAD)}(?:\|.*\n)*")
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(written.sub(table().replace("\\", r"\\"), text), encoding="utf-8")
    assert written.findall(README.read_text(encoding="utf-8")) == [table()]
