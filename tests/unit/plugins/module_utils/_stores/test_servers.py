# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's own words are made of; the asking itself is watched on real servers."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import postgresql_server, redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.postgresql_server import Found
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
    Server,
    is_older,
)

SERVER = Server("Redis", "cache.example.org", 6379, "Secret mastodon/mastodon-redis")


@pytest.mark.parametrize(
    ("version", "oldest", "older"),
    [
        ("6.0.16", "6.2", True),
        ("6.2", "6.2", False),
        ("6.2.0", "6.2", False),
        ("7.4.1", "6.2", False),
        ("10.0", "6.2", False),
        ("13.14 (Debian 13.14-1)", "14", True),
        ("14.0", "14", False),
        ("15.20 (Debian 15.20-0+deb12u1)", "14", False),
        ("18beta1", "14", False),
        ("unknown", "14", True),
    ],
)
def test_versions_are_compared_by_number(version: str, oldest: str, older: bool) -> None:
    assert is_older(version, oldest) is older


@pytest.mark.parametrize(
    "reported",
    [
        {"redis_version": "7.2.5", "maxmemory_policy": "noeviction"},
        {"redis_version": "6.2.11", "dragonfly_version": "df-v1.39.0", "cache_mode": "store"},
    ],
)
def test_a_server_that_keeps_what_it_is_given_is_let_through(reported: dict[str, Any]) -> None:
    assert "evicts nothing" in redis_server.verdict(SERVER, reported)


@pytest.mark.parametrize(
    ("reported", "sentence"),
    [
        (
            {"redis_version": "5.0.7", "maxmemory_policy": "noeviction"},
            "Redis cache.example.org:6379: is too old: it is 5.0.7. Upgrade it to 6.2 or newer.",
        ),
        (
            {"redis_version": "7.2.5", "maxmemory_policy": "allkeys-lru"},
            "Redis cache.example.org:6379: may not hold jobs: its maxmemory-policy is allkeys-lru, so it throws jobs away",
        ),
        ({"redis_version": "7.2.5", "maxmemory_policy": "volatile-ttl"}, "its maxmemory-policy is volatile-ttl"),
        (
            {"redis_version": "6.2.11", "maxmemory_policy": "eviction", "cache_mode": "cache"},
            "Set maxmemory-policy to noeviction (Dragonfly: cache_mode to false)",
        ),
    ],
)
def test_a_server_that_may_lose_jobs_is_refused(reported: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MastodonError) as refused:
        redis_server.verdict(SERVER, reported)
    assert sentence in str(refused.value)


def test_a_database_that_mastodon_can_use_is_let_through() -> None:
    assert "lets Mastodon in" in postgresql_server.verdict(SERVER, Found("17.6", "UTF8", may_create=True))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Found("13.14", "UTF8", may_create=True), "is too old: it is 13.14. Upgrade it to 14 or newer."),
        (Found("17.6", "SQL_ASCII", may_create=True), "is encoded in SQL_ASCII. Create the database again"),
        (Found("17.6", "UTF8", may_create=False), "its user may not create tables. Make Mastodon's user the owner"),
    ],
)
def test_a_database_that_mastodon_cannot_use_is_refused(found: Found, sentence: str) -> None:
    with pytest.raises(MastodonError) as refused:
        postgresql_server.verdict(SERVER, found)
    assert sentence in str(refused.value)


def test_no_way_to_a_redis_is_no_judgement_of_it(closed_port: int) -> None:
    with pytest.raises(OSError, match=str(closed_port)):
        redis_server.ask(Server("Redis", "127.0.0.1", closed_port, "Secret a/b"), "password")


def test_no_way_to_a_postgresql_is_no_judgement_of_it(closed_port: int) -> None:
    server = Server("PostgreSQL", "127.0.0.1", closed_port, "Secret a/b")
    with pytest.raises(OSError, match=str(closed_port)):
        postgresql_server.ask(server, "mastodon", "password", "mastodon")


@pytest.mark.parametrize(("code", "may_pass"), [("57P01", True), ("57P03", True), ("28P01", False), ("3D000", False)])
def test_a_restart_is_distinguished_from_a_refusal(monkeypatch: pytest.MonkeyPatch, code: str, may_pass: bool) -> None:
    def refuse(*_unused: Any, **_options: Any) -> None:
        raise postgresql_server.native.DatabaseError({"C": code, "M": "the database system is shutting down"})

    monkeypatch.setattr(postgresql_server.native, "Connection", refuse)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(MastodonError, match="the database system is shutting down") as refused:
        postgresql_server.ask(replace(SERVER, dial=lambda: ours), "mastodon", "password", "mastodon")
    assert isinstance(refused.value, NotReadyError) is may_pass
    assert isinstance(refused.value, RefusedLoginError) is (code == "28P01")
