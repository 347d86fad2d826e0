# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restored database is compared with its origin: what is the same passes, whatever is not is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.contents import Archived, Ended
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.scratch import Login
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rehearsing import (
    Before,
    Databases,
    Found,
    compare,
    read_through,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.rehearsal.test_encrypted import (
    RAILS,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._tasks.test_scratch import Cluster, of
from urllib3 import PoolManager

OPENER = Opener(RAILS["primary_key"], RAILS["key_derivation_salt"])
SEALED = RAILS["rows"]["sha256"]["otp_secret"]
SEGMENT = Archived("000000010000000000000005", 1000.0)
WHOLE = Ended(1, 0x5000100)
NEWEST = 1764385200.0
NOWHERE = Connection("https://nowhere.invalid", PoolManager(), dict)
LOGIN = Login("mastodon", "mastodon", "secret")
AT = datetime.fromtimestamp(NEWEST, UTC)


@dataclass
class Content:
    """One database: by table, when each row was last written."""

    rows: dict[str, list[float]] = field(default_factory=lambda: {"users": [NEWEST - 900, NEWEST - 5]})
    schema: frozenset[str] = frozenset({"20251023210145", "20260805130216"})
    sealed: list[tuple[int, str]] = field(default_factory=lambda: [(1, SEALED)])

    def migrations(self) -> frozenset[str]:
        return self.schema

    def tables(self) -> dict[str, str]:
        return dict.fromkeys(self.rows, "updated_at")

    def newest(self, table: str, column: str) -> float:
        return max(self.rows[table], default=0.0)

    def archived(self) -> tuple[str, float]:
        return SEGMENT.segment, SEGMENT.at

    def sealed_columns(self) -> list[tuple[str, str, str]]:
        return [("users", "otp_secret", "updated_at")]

    def written(
        self, table: str, column: str, until: float, since: float, to: float, having: str = ""
    ) -> tuple[int, int, int]:
        rows = self.rows[table][: len(self.sealed)] if having else self.rows[table]
        return len(rows), sum(one <= until for one in rows), sum(since < one <= to for one in rows)

    def encrypted(self) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
        yield "users.otp_secret", [(number, text, "") for number, text in self.sealed]


@dataclass(frozen=True)
class Both(Databases):
    contents: dict[str, Content] = field(default_factory=dict)
    end: Ended = WHOLE

    def ask(self, cluster: str, question: Callable[[Any], Any]) -> Any:
        return question(self.contents[cluster])

    def ended(self, scratch: Any) -> Ended:
        return self.end


def both_of(contents: dict[str, Content], end: Ended = WHOLE, *, login: Login = LOGIN) -> Both:
    return Both(NOWHERE, "mastodon", login, Deadline(60), contents, end)


def compared(
    restored: Content, origin: Content | None = None, target: datetime | None = None, end: Ended = WHOLE
) -> Found:
    origin = origin or Content()
    contents = {"mastodon-db-rehearsal": restored, "mastodon-db": origin}
    both = both_of(contents, end)
    before = Before(SEGMENT, max(one for rows in origin.rows.values() for one in rows))
    return compare(both, before, of(Cluster()), OPENER, target)


def refusal(*given: Any, **named: Any) -> str:
    with pytest.raises(MastodonError) as caught:
        compared(*given, **named)
    return str(caught.value)


def test_the_same_passes_and_nothing_is_lost() -> None:
    found = compared(Content())
    assert found.newest == "2025-11-29T02:59:55Z"
    assert found.schema == max(Content().schema)
    assert found.rpo == 0
    assert found.lines == (
        "rows that were restored: 2 users",
        "encrypted rows that today's keys open: 1 of users.otp_secret",
    )


def test_what_was_not_archived_yet_is_what_would_be_lost() -> None:
    assert compared(Content(), Content({"users": [NEWEST - 900, NEWEST - 5, NEWEST + 25]})).rpo == 30


def test_the_loss_at_a_time_is_not_known_as_nobody_may_have_written() -> None:
    assert compared(Content(), target=AT).rpo is None


def test_what_ends_before_the_archive_does_is_not_whole() -> None:
    sentence = refusal(Content(), end=Ended(1, 0x4000000))
    assert sentence.startswith(
        "Cluster mastodon/mastodon-db: cannot be restored whole: recovery ended at 0/4000000, before WAL"
    )
    assert sentence.endswith("Make a new base backup: ansible-playbook -i inventories/mine fediverse.mastodon.backup.")


def test_at_a_time_it_may_end_anywhere_before_the_archive_does() -> None:
    assert compared(Content(), target=AT, end=Ended(1, 0x4000000)).newest == "2025-11-29T02:59:55Z"


def test_rows_that_should_be_there_are_missing() -> None:
    assert "1 of 1 rows of users are missing" in refusal(Content({"users": [NEWEST - 5]}))


def test_what_ends_long_before_the_asked_time_is_not_whole() -> None:
    origin = Content({"users": [NEWEST - 900, NEWEST - 300, NEWEST - 5]})
    said = refusal(Content({"users": [NEWEST - 900]}), origin, target=AT)
    assert "it ends too early, as its newest row is of 2025-11-29T02:45:00Z: 1 later rows of users are missing" in said


def test_rows_of_another_key_and_rows_of_none_are_counted_and_named() -> None:
    other = RAILS["rows"]["sha256"]["otp_secret"].replace('"p":"h', '"p":"i')
    said = refusal(Content(sealed=[(1, SEALED), (7, other), (8, "plain")]))
    assert said.splitlines() == [
        "Cluster mastodon/mastodon-db: cannot be restored whole: 1 of 3 rows of users.otp_secret were encrypted with other"
        " Active Record keys than Vault has now (id 7).",
        "Cluster mastodon/mastodon-db: cannot be restored whole: 1 of 3 rows of users.otp_secret are not as Active Record encrypts them"
        " (id 8).",
    ]


def test_a_schema_of_before_an_upgrade_is_noted() -> None:
    found = compared(Content(schema=frozenset({"20251023210145"})), target=AT)
    assert found.lines[-1] == "its schema lacks 1 of the origin's migrations: restore it with the release of then"


def test_an_empty_mastodon_is_restored_empty() -> None:
    empty = Content({"users": []}, sealed=[])
    contents = {"mastodon-db-rehearsal": empty, "mastodon-db": empty}
    both = both_of(contents)
    assert compare(both, Before(SEGMENT, 0.0), of(Cluster()), OPENER, None) == Found(
        "",
        0.0,
        ("rows that were restored: 0 users", "encrypted rows that today's keys open: 0 of users.otp_secret"),
        "20260805130216",
    )


def test_a_database_without_mastodons_tables_is_refused_before_anything_is_restored() -> None:
    contents = {"mastodon-db": Content({"follows": [NEWEST]})}
    both = both_of(contents, login=Login("other", "other", "secret"))
    with pytest.raises(
        MastodonError,
        match=r"PostgreSQL of mastodon-db: cannot be compared with: schema public has no table accounts, users, statuses\. Check"
        r" that other is Mastodon's database\.",
    ):
        both.look("mastodon-db")
    whole = {"mastodon-db": Content({"accounts": [], "statuses": [], "users": [NEWEST]})}
    assert both_of(whole).look("mastodon-db") == Before(SEGMENT, NEWEST)


class Served(Databases):
    """One that opens its connection at the third try, and what it was asked."""

    tries: ClassVar[list[str]] = []

    @contextmanager
    def _reading(self, cluster: str) -> Iterator[Any]:
        self.tries.append(cluster)
        if len(self.tries) < 3:
            raise OSError("no way")
        yield None


def asked(seconds: float, question: Callable[[Any], Any]) -> Any:
    Served.tries.clear()
    deadline = Deadline(seconds, sleep=lambda pause: None)
    return Served(NOWHERE, "mastodon", LOGIN, deadline).ask("db", question)


def test_it_waits_for_a_connection_until_the_deadline() -> None:
    assert asked(60, lambda reader: "found") == "found"
    with pytest.raises(MastodonError, match="PostgreSQL of db: does not answer: no way"):
        asked(0, lambda reader: "found")
    assert Served.tries == ["db"]


def test_a_question_that_takes_too_long_is_not_asked_again() -> None:
    asks = []

    def question(reader: Any) -> None:
        asks.append(reader)
        raise TimeoutError("no whole answer came within 1200 s")

    with pytest.raises(
        MastodonError, match="PostgreSQL of db: gave no whole answer: no whole answer came within 1200 s"
    ):
        asked(60, question)
    assert len(asks) == 1


def test_rows_that_were_written_before_the_last_wal_was_archived_must_be_there() -> None:
    contents = {
        "mastodon-db-rehearsal": Content({"users": [NEWEST - 900]}),
        "mastodon-db": Content({"users": [NEWEST - 900, NEWEST - 300]}, sealed=[]),
    }
    both = both_of(contents, WHOLE)
    before = Before(Archived(SEGMENT.segment, NEWEST, position=0x6000100), NEWEST)
    with pytest.raises(
        MastodonError, match=r"it ends too early, as its newest row is of .*: 1 later rows of users are missing"
    ):
        compare(both, before, of(Cluster()), OPENER, None)


def read(content: Content) -> Found:
    return read_through(both_of({"mastodon-db": content}), "mastodon-db", OPENER)


MASTODON = {"accounts": [NEWEST], "users": [NEWEST - 900, NEWEST - 5], "statuses": []}


def test_what_was_restored_for_good_is_counted_and_opened() -> None:
    found = read(Content(dict(MASTODON)))
    assert found.newest == "2025-11-29T03:00:00Z"
    assert found.lines == (
        "rows that were restored: 1 accounts, 2 users, 0 statuses",
        "encrypted rows that today's keys open: 1 of users.otp_secret",
    )


def test_what_mastodon_could_not_read_is_named_with_what_to_do() -> None:
    other = RAILS["rows"]["sha256"]["otp_secret"].replace('"p":"', '"p":"AAAA')
    with pytest.raises(MastodonError) as caught:
        read(Content(dict(MASTODON), sealed=[(7, other)]))
    assert str(caught.value) == (
        "Cluster mastodon/mastodon-db: was restored, and Mastodon could not read all of it: 1 of 1 rows of users.otp_secret were "
        "encrypted with other Active Record keys than Vault has now (id 7). Bring back what Vault held at that time, and run again."
    )


def test_a_database_of_something_else_is_not_taken_for_mastodons() -> None:
    with pytest.raises(
        MastodonError, match=r"PostgreSQL of mastodon-db: is not Mastodon's: .* the name that Mastodon's"
    ):
        read(Content({"users": [NEWEST]}))
