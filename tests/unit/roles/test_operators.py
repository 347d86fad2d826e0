# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator is known to those who must know all: where it was installed by others, and where it must not move."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import ROOT, Site
from .sites import every_kind
from .test_secrets import SETTINGS

OPERATORS = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/operator.yml"))
USED: dict[str, Any] = {**SETTINGS, "rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}}


def adopted(**settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Site(**USED, **settings).value("doctor_adopted")
    return found


def test_each_is_looked_for_where_others_installed_it() -> None:
    wanted = Site().value("doctor_prerequisites")
    assert sorted(one["role"] for one in wanted) == OPERATORS
    shown = [one["shown_by"] for one in wanted]
    assert [one for one in shown if (one["api_version"].rpartition("/")[0], one["kind"]) not in every_kind()] == []


@pytest.mark.parametrize("role", OPERATORS)
def test_one_that_is_not_installed_is_adopted(role: str) -> None:
    (own,) = (one["controllers"] for one in Site().value("doctor_prerequisites") if one["role"] == role)
    assert own
    assert adopted() == []
    assert adopted(**{f"{role}_install": False}) == own


def test_every_controller_can_be_distinguished_from_every_other() -> None:
    images = [controller["image"] for one in Site().value("doctor_prerequisites") for controller in one["controllers"]]
    assert len(images) == len(set(images))


def test_a_flux_that_does_not_try_again_or_waits_too_long_is_too_old() -> None:
    oldest = {one["image"]: one["oldest"] for one in adopted(flux_install=False)}
    assert oldest == {"source-controller": "1.3", "helm-controller": "1.5"}


def test_the_oldest_release_is_a_text_of_two_numbers() -> None:
    """Of 1.10 as a number YAML makes 1.1."""
    controllers = [controller for one in Site().value("doctor_prerequisites") for controller in one["controllers"]]
    assert [one for one in controllers if not re.fullmatch(r"\d+\.\d+", str(one.get("oldest", "0.0")))] == []
    assert [one for one in controllers if not isinstance(one.get("oldest", ""), str)] == []


def test_the_namespace_of_each_is_kept_once_mastodon_runs() -> None:
    kept = {one["setting"] for one in Site(**USED).value("mastodon_launch_operators")}
    assert kept == {f"{role}_namespace" for role in OPERATORS}
