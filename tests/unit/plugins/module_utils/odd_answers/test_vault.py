# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is where Vault should be: one sentence, in time, and never taken for a path that holds nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault as looks
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access, health, kv, secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault, connect

from .servers import Answer, answers, drip, http, one_sentence, replaced, server, talk_http

ROLE = {
    "mount_point": "kubernetes",
    "api_server": "https://kubernetes",
    "name": "eso",
    "bound_service_account_names": ["eso"],
    "bound_service_account_namespaces": ["eso"],
    "policies": ["eso"],
    "ttl": 600,
}
QUESTIONS: dict[str, Callable[[Vault], object]] = {
    "a secret": lambda vault: kv.read(vault, "secret", "a"),
    "a version": lambda vault: kv.read(vault, "secret", "a", 3),
    "health": health.check,
    "mounts": lambda vault: access.ensure_mount(vault, "secret", check=True),
    "a policy": lambda vault: access.ensure_policy(vault, "p", "rules", check=True),
    "a login": lambda vault: access.ensure_kubernetes_role(vault, ROLE, check=True),
    "rights": lambda vault: looks.capabilities(vault, [{"path": "secret/data/a", "capabilities": ["read"]}]),
    "keys": lambda vault: secrets.ensure(
        vault, "secret", [{"path": "a", "generate": {"key": {"format": "hex"}}}], None, check=True
    ),
    "a write": lambda vault: kv.write(vault, "secret", "a", {"key": "value"}, 0),
}
NAMES = sorted(QUESTIONS)


def client(port: int, timeout: int = 5) -> Vault:
    vault = connect({"address": f"http://127.0.0.1:{port}", "token": "token", "timeout": timeout}, {})
    vault._sleep = lambda _seconds: None
    return vault


@pytest.mark.parametrize(("number", "answer"), [*enumerate(answers("vault"))], ids=str)
def test_no_answer_ends_in_more_than_a_sentence(number: int, answer: Answer) -> None:
    with server(talk_http(lambda _unused: answer.content)) as port:
        failure = one_sentence(lambda: QUESTIONS[NAMES[number % len(NAMES)]](client(port)), 5)
    assert "Vault http://127.0.0.1" in str(failure)


ODD: list[Any] = [None, "text", 7, True, [], {}, [None], ["text"], {"key": None}]
GOOD: dict[str, dict[str, Any]] = {
    "a secret": {"data": {"data": {"a": "b"}, "metadata": {"version": 3, "deletion_time": "", "destroyed": False}}},
    "health": {"initialized": True, "sealed": False, "version": "1.2.3"},
    "mounts": {"data": {"secret/": {"type": "kv", "options": {"version": "2"}}}},
    "a policy": {"data": {"policy": "rules", "name": "p"}},
    "a login": {
        "data": {
            "kubernetes/": {"type": "kubernetes", "options": None},
            "kubernetes_host": "https://kubernetes",
            "bound_service_account_names": ["eso"],
            "bound_service_account_namespaces": ["eso"],
            "token_policies": ["eso"],
            "token_ttl": 600,
        }
    },
    "rights": {"data": {"secret/data/a": ["read"]}},
    "a write": {"data": {"version": 1}},
}
# What is looked at by its path, of which type it is, and whether it must be there.
LOOKED_AT: dict[str, list[tuple[str, type, bool]]] = {
    "a secret": [
        ("data", dict, True),
        ("data.data", dict, False),
        ("data.metadata", dict, True),
        ("data.metadata.version", int, True),
        ("data.metadata.deletion_time", str, False),
        ("data.metadata.destroyed", bool, False),
    ],
    "health": [("initialized", bool, True), ("sealed", bool, True)],
    "mounts": [
        ("data", dict, True),
        ("data.secret/", dict, False),
        ("data.secret/.type", str, False),
        ("data.secret/.options", dict, False),
    ],
    "a policy": [("data", dict, True), ("data.policy", str, True)],
    "a login": [
        ("data", dict, True),
        ("data.kubernetes/", dict, False),
        ("data.kubernetes/.type", str, False),
        ("data.kubernetes_host", str, False),
    ],
    "rights": [("data", dict, True), ("data.secret/data/a", list, True)],
    "a write": [("data", dict, True), ("data.version", int, True)],
}


def is_odd(name: str, answer: Any) -> bool:
    """Whether something that is looked at is of another type, or missing where it must be there."""
    if not isinstance(answer, dict):
        return True
    for path, kind, needed in LOOKED_AT[name]:
        found = answer
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if needed if found is None else not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            return True
    return False


@pytest.mark.parametrize("name", sorted(GOOD))
def test_no_part_of_an_answer_is_taken_for_what_it_is_not(name: str) -> None:
    failure = {"answer": json.dumps(GOOD[name]).encode()}
    with server(talk_http(lambda _unused: http(200, failure["answer"]))) as port:
        vault = client(port)
        if name != "health":
            QUESTIONS[name](vault)
        for odd in replaced(GOOD[name], ODD):
            failure["answer"] = json.dumps(odd).encode()
            if is_odd(name, odd):
                one_sentence(lambda: QUESTIONS[name](vault), 5)
                continue
            # What is not looked at may be anything.
            with suppress(MastodonError):
                QUESTIONS[name](vault)


@pytest.mark.parametrize("content", ["<html>", "null", "[]", '{"page": "not found"}', "{}"])
def test_a_page_that_is_not_found_is_no_path_that_holds_nothing(content: str) -> None:
    with server(talk_http(lambda _unused: http(404, content.encode(), "Content-Type: application/json"))) as port:
        for name in ("a secret", "keys", "a policy"):
            failure = one_sentence(lambda name=name: QUESTIONS[name](client(port)), 5)
            assert "it answers 404 with something else than Vault does. Check that the address is Vault's" in str(
                failure
            )


def test_a_destroyed_version_is_seen_through_any_type_of_content() -> None:
    body = b'{"data": {"data": null, "metadata": {"version": 3, "deletion_time": "", "destroyed": true}}}'
    with server(talk_http(lambda _unused: http(404, body, "Content-Type: application/json; charset=utf-8"))) as port:
        assert kv.read(client(port), "secret", "a") == kv.Stored(3, {}, "an unknown time", destroyed=True)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_a_byte_now_and_then_is_not_waited_for_without_end(begin: bytes) -> None:
    def talk(link: socket.socket) -> None:
        link.recv(1000)
        link.sendall(begin)
        drip(link, b"HTTP/1.1 200 OK\r\nX: x")

    with server(talk) as port:
        vault = client(port, timeout=1)
        failure = one_sentence(lambda: kv.read(vault, "secret", "a"), 4)
        assert "no whole answer came within 2 s" in str(failure)
        # Nor by whoever asks next.
        assert one_sentence(lambda: health.check(vault), 0.5) is failure


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_a_server_that_hangs_is_waited_for_once(begin: bytes) -> None:
    asked: list[int] = []

    def talk(link: socket.socket) -> None:
        asked.append(len(link.recv(1000)))
        link.sendall(begin)
        link.recv(1000)

    with server(talk) as port:
        vault = client(port, timeout=1)
        failure = one_sentence(lambda: kv.read(vault, "secret", "a"), 3)
        assert "reading secret/a failed: no answer came within 1 s. Check that the address" in str(failure)
        assert one_sentence(lambda: health.check(vault), 0.5) is failure
    assert len(asked) == 1


@pytest.mark.parametrize("value", [7, 1.5, True, None, ["text"], {"key": "text"}])
def test_what_is_no_text_is_refused_where_text_is_due_and_not_shown(value: Any) -> None:
    content = {"data": {"data": {"key": value, "password": value}, "metadata": {"version": 1}}}
    with server(talk_http(lambda _unused: http(200, json.dumps(content).encode()))) as port:
        vault = client(port)
        for ask in (
            lambda: QUESTIONS["keys"](vault),
            lambda: secrets.ensure(vault, "secret", [{"path": "a", "required": ["password"]}], None, check=True),
            lambda: looks.given(vault, "secret", "a", ["password"]),
        ):
            failure = one_sentence(ask, 5)
            assert "secret/a: " in str(failure)
        failure = one_sentence(lambda: secrets.fingerprint(value, "a", "key", "value"), 1)
        assert "The key of fingerprints in Vault: cannot be used" in str(failure)
