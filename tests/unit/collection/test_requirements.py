# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python packages are needed is said for users, for CI and at each module, and is what the code imports."""

from __future__ import annotations

import re

from .conftest import ROOT

NAME = re.compile(r"^([A-Za-z][\w-]*)(?:\[\w+\])?(.*)$", re.MULTILINE)


def named(file: str) -> dict[str, str]:
    """Return what a file of requirements says of each package, which is called as pip compares names."""
    return {name.lower().replace("_", "-"): said for name, said in NAME.findall((ROOT / file).read_text())}


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_every_package_is_pinned_once_and_nothing_else_is() -> None:
    asked = named("requirements.txt") | named("requirements-test.txt")
    pinned = named("constraints.txt")
    assert pinned.keys() == asked.keys()
    assert [name for name, said in pinned.items() if not re.match(r"==[\d.]+", said)] == []
    assert [name for name, said in named("requirements-test.txt").items() if said] == []


def test_what_ci_runs_with_is_within_what_users_are_asked_for() -> None:
    pinned = named("constraints.txt")
    for name, said in named("requirements.txt").items():
        version = pinned[name].partition(";")[0].strip(" =")
        assert release(version) >= release(said.removeprefix(">=")), name
