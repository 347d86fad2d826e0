# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is where the S3 server should be: one sentence, in time, and no word that a bucket is as it should be."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3 import client, public_read, sessions
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import with_public_read
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip

from .servers import Answer, answers, drip, http, one_sentence, server, talk_http

KEYS = Keys("AKIA", "CANARY", "Secret mastodon/mastodon-s3")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_RETRIES", 1)


def no_sleep(_seconds: float) -> None:
    """Wait for nothing."""


QUESTIONS: dict[str, Callable[[Bucket], object]] = {
    "its policy": lambda bucket: bucket.policy(),
    "the doctor's": lambda bucket: round_trip(bucket, anyone_reads=True),
    "the proof": lambda bucket: public_read.ensure(bucket, check=True, sleep=no_sleep),
    "the whole": lambda bucket: public_read.ensure(bucket, check=False, sleep=no_sleep),
}
NAMES = sorted(QUESTIONS)


def bucket_at(port: int) -> Bucket:
    return Bucket(f"http://127.0.0.1:{port}", "media", "us-east-1", KEYS)


@pytest.mark.parametrize(("number", "answer"), [*enumerate(answers("s3"))], ids=str)
def test_no_answer_ends_in_more_than_a_sentence(number: int, answer: Answer) -> None:
    with server(talk_http(lambda _unused: answer.content)) as port:
        bucket = bucket_at(port)
        reported = one_sentence(lambda: QUESTIONS[NAMES[number % len(NAMES)]](bucket), 8)
    assert str(reported).startswith("Bucket media at http://127.0.0.1:")
    assert "CANARY" not in str(reported)


ODD: list[Any] = [None, "text", 7, True, {}, [None], ["text"], [[]], [{"Sid": "a"}, "text"]]


@pytest.mark.parametrize("policy", [*ODD, [], *({"Statement": odd} for odd in ODD if odd != {})], ids=str)
def test_a_policy_of_another_shape_is_not_taken_for_one(policy: Any) -> None:
    with server(talk_http(lambda _unused: http(200, json.dumps(policy).encode()))) as port:
        reported = one_sentence(lambda: bucket_at(port).policy(), 5)
    assert "reading its policy failed: " in str(reported)


def test_what_others_wrote_into_a_policy_is_theirs() -> None:
    for statement in ([], {}, {"Sid": ["a"]}, [{"Sid": "a"}, {"Effect": 7}]):
        body = json.dumps({"Version": 1, "Statement": statement}).encode()
        with server(talk_http(lambda _unused, body=body: http(200, body))) as port:
            found = bucket_at(port).policy()
        assert found["Statement"] == statement
        assert with_public_read(found, "media")["Statement"][:-1] == (
            [statement] if isinstance(statement, dict) and statement else statement or []
        )


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_an_hour_is_not_given_it(status: int) -> None:
    with server(talk_http(lambda _unused: http(status, b"", "Retry-After: 3600"))) as port:
        one_sentence(lambda: bucket_at(port).get("a"), 5)


@pytest.mark.parametrize("status", [520, 530, 599, 799])
def test_a_status_that_http_does_not_know_is_reported(status: int) -> None:
    with server(talk_http(lambda _unused: http(status, b"error code: 520"))) as port:
        reported = one_sentence(lambda: bucket_at(port).get("a"), 5)
    assert f"reading a failed: {status} " in str(reported)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_a_byte_now_and_then_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    monkeypatch.setattr(client, "_WHOLE_SECONDS", 0.5)

    def talk(link: socket.socket) -> None:
        link.recv(1000)
        link.sendall(begin)
        drip(link, b"HTTP/1.1 200 OK\r\nX: x")

    with server(talk) as port:
        reported = one_sentence(lambda: bucket_at(port).get("a"), 3)
    assert "no whole answer came within" in str(reported)
