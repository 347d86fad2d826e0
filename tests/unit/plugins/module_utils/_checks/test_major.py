# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against importing a database by another major of PostgreSQL, and what an import lacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import major
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.record import Record
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.whole_database import Database

NOW = datetime(2026, 11, 29, 13, 0, tzinfo=UTC)
WELL = Database("UTF8", "C", "C", "c", 4 * 2**30)
ROOM = 10 * 2**30


def said(found: Database, room: int = ROOM) -> list[str]:
    return [str(one) for one in major.problems("Cluster a/b", found, room)]


@pytest.mark.parametrize(
    ("image", "done"),
    [("postgresql:17.11-standard-trixie", True), ("postgresql:18", False), ("r:5000/postgresql:18.1@sha256:9", False)],
)
def test_only_a_newer_major_is_to_be_imported(image: str, done: bool) -> None:
    assert major.is_done("Cluster a/b", "postgresql:17", image) is done


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("postgresql:16", "cannot go back to PostgreSQL 16: its data is of 17"),
        ("postgresql@sha256:9", "does not say which PostgreSQL it is"),
    ],
)
def test_an_older_one_and_one_that_does_not_say_are_refused(image: str, why: str) -> None:
    with pytest.raises(MastodonError, match=why):
        major.is_done("Cluster a/b", "postgresql:17", image)


def test_a_database_as_cloudnativepg_makes_it_is_imported() -> None:
    assert said(WELL) == []
    assert said(replace(WELL, collate="POSIX")) == []


@pytest.mark.parametrize(
    "other", [{"encoding": "LATIN1"}, {"collate": "en_US.utf8"}, {"ctype": "en_US.utf8"}, {"provider": "i"}]
)
def test_one_that_sorts_otherwise_is_refused(other: dict[str, str]) -> None:
    [why] = said(replace(WELL, **other))
    assert "sorts text otherwise than a new Cluster would: it is " in why


def test_what_its_owner_may_not_read_is_named() -> None:
    [why] = said(replace(WELL, unread=("public.a", "public.b", "c.d", "c.e", "c.f", "c.g")))
    assert "cannot be dumped whole: its owner may not read public.a, public.b, c.d, c.e, c.f and 1 more." in why


def test_a_dump_needs_room_beside_what_is_restored_from_it() -> None:
    assert said(WELL, 6 * 2**30) == []
    [why] = said(WELL, 6 * 2**30 - 1)
    assert (
        "it has 4096 MiB, and its dump beside it makes 6144 MiB of a volume of 6144 MiB. Raise cnpg_cluster_storage_size."
        in why
    )
    assert said(WELL, 0) == []


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (Record(""), "nothing of it was rehearsed"),
        (Record("2026-11-29T12:00:00Z", failure="no"), "its last rehearsal failed at 2026-11-29T12:00:00Z: no"),
        (Record("2026-11-29T12:00:00Z", image="another"), "was of an import by another"),
        (Record("2026-11-28T12:00:00Z", image="new"), "more than a day ago"),
        (Record("2026-11-29T12:00:00Z", image="new"), ""),
    ],
)
def test_just_that_import_was_rehearsed_within_a_day(last: Record, why: str) -> None:
    if not why:
        major.refuse_unrehearsed("Cluster a/b", last, "new", NOW)
        return
    with pytest.raises(MastodonError, match=why) as caught:
        major.refuse_unrehearsed("Cluster a/b", last, "new", NOW)
    assert "fediverse.mastodon.rehearse -e major=true" in str(caught.value)


def test_whatever_is_not_as_it_was_is_named() -> None:
    before = {"rows of public.a": 3, "sequence public.a_id_seq": 7, "indexes": 2}
    assert list(major.missing(before, before)) == []
    assert list(major.missing(before, {"rows of public.a": 4, "indexes": 2, "views": 1})) == [
        "rows of public.a: 4 in place of 3",
        "sequence public.a_id_seq: none in place of 7",
        "views: 1 in place of none",
    ]


def test_what_a_dump_does_not_carry_is_said() -> None:
    assert major.left_behind(WELL) == ""
    assert major.left_behind(replace(WELL, left=("role reader", "database other"))).endswith(
        ": role reader, database other"
    )
