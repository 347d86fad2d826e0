# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import (
    Release,
    check_step,
    is_too_old,
    parse,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError


def step(running: str, wanted: str) -> str:
    """Return the refusal, or nothing."""
    before, after = parse(running), parse(wanted)
    assert before
    assert after
    try:
        check_step("Mastodon ns/m", before, after)
    except MastodonError as refusal:
        return str(refusal)
    return ""


@pytest.mark.parametrize(
    ("tag", "release"),
    [
        ("v4.7.4", Release(4, 7, 4)),
        ("4.7.4", Release(4, 7, 4)),
        ("v4.7.0-rc.1", Release(4, 7, 0, 2, 1)),
        ("v4.7.0-beta.12", Release(4, 7, 0, 1, 12)),
        ("v4.7.0-alpha", Release(4, 7, 0, 0)),
        ("v4.7.4@sha256:0000", Release(4, 7, 4)),
        ("v4.7.4-ours", Release(4, 7, 4)),
        ("v4.10.12", Release(4, 10, 12)),
        ("latest", None),
        ("v4.7", None),
        ("v4.7.4.1", None),
        ("", None),
    ],
)
def test_a_tag_is_a_release_or_none(tag: str, release: Release | None) -> None:
    assert parse(tag) == release


@pytest.mark.parametrize("tag", ["v4.7.0-alpha.1", "v4.7.0-beta.2", "v4.7.0-rc.1", "v4.7.0"])
def test_a_release_is_written_as_its_tag(tag: str) -> None:
    assert str(parse(tag)) == tag


@pytest.mark.parametrize("wanted", ["v4.7.0-alpha.1", "v4.7.0-beta.9", "v4.7.0-rc.1"])
def test_there_is_no_way_back_to_what_came_before_a_release(wanted: str) -> None:
    assert step("v4.7.0", wanted).startswith(f"Mastodon ns/m: cannot go back from v4.7.0 to {wanted}: ")
    assert step(wanted, "v4.7.0") == step(wanted, wanted) == step("v4.6.9", wanted) == ""
    assert step("v4.7.0-rc.2", wanted) != ""


@pytest.mark.parametrize(
    ("running", "wanted"),
    [
        ("v4.7.2", "v4.7.2"),
        ("v4.7.2", "v4.7.4"),
        ("v4.5.1", "v4.6.9"),
        ("v4.6.9", "v4.7.0"),
        ("v4.7.4", "v4.8.0"),
        ("v4.9.9", "v4.10.0"),
        ("v4.7.4", "v5.0.0"),
        ("v5.0.0", "v5.1.0"),
    ],
)
def test_the_next_step_of_the_upgrade_path_is_let_through(running: str, wanted: str) -> None:
    assert step(running, wanted) == ""


@pytest.mark.parametrize(
    ("running", "wanted", "path", "first"),
    [
        ("v4.5.20", "v4.7.2", "v4.5 → v4.6 → v4.7", "v4.6"),
        ("v4.2.1", "v4.7.4", "v4.2 → v4.3 → v4.4 → v4.5 → v4.6 → v4.7", "v4.3"),
        ("v4.7.4", "v4.9.0", "v4.7 → v4.8 → v4.9", "v4.8"),
        ("v4.6.9", "v5.0.0", "v4.6 → v4.7 → v5.0", "v4.7"),
    ],
)
def test_a_step_too_far_is_refused_with_the_upgrade_path(running: str, wanted: str, path: str, first: str) -> None:
    assert step(running, wanted) == (
        f"Mastodon ns/m: cannot go from {running} to {wanted} in one step: each minor release migrates the database: "
        f"{path}. Set mastodon_image_tag to the newest {first} first."
    )


@pytest.mark.parametrize(("running", "wanted"), [("v4.7.4", "v4.7.2"), ("v4.7.0", "v4.6.9"), ("v5.0.0", "v4.7.4")])
def test_a_step_back_is_refused(running: str, wanted: str) -> None:
    reported = (
        f"Mastodon ns/m: cannot go back from {running} to {wanted}: its database is already that of the newer one."
    )
    assert step(running, wanted) == f"{reported} Set mastodon_image_tag to {running} or newer."


@pytest.mark.parametrize(
    ("version", "oldest", "too_old"),
    [
        ("13", "14.4", True),
        ("14", "14.4", False),
        ("14.3", "14.4", True),
        ("14.4", "14.4", False),
        ("17.6", "14.4", False),
        ("17.6-bookworm", "14.4", False),
        ("15.14 (Debian 15.14-0+deb12u1)", "14.4", False),
        ("6.2.14", "7.0", True),
        ("7.0.15", "7.0", False),
        ("", "14.4", False),
        ("latest", "14.4", False),
    ],
)
def test_what_is_too_old(version: str, oldest: str, too_old: bool) -> None:
    assert is_too_old(version, oldest) is too_old


def test_a_release_newer_than_we_know_needs_at_least_what_the_newest_known_does() -> None:
    assert Release(5, 0, 0).needs == Release(4, 7, 0).needs
    assert Release(4, 4, 1).needs.postgresql == "13"
    assert Release(4, 1, 0).needs == Release(4, 2, 0).needs
