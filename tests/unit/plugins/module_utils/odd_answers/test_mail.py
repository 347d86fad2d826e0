# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is where the mail server should be: one sentence, in time, without the password, and no word that it takes mail."""

from __future__ import annotations

import random
import socket
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail import smtp
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail.smtp import Login, handshake

from .servers import ANSWERS, SEED, Talk, drip, one_sentence, server

GOOD = {
    "greeting": b"220 mail ESMTP\r\n",
    "ehlo": b"250-mail\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 SIZE 1000\r\n",
    "auth": b"235 welcome\r\n",
    "mail": b"250 go on\r\n",
}
WRONG: tuple[bytes, ...] = (
    b"",
    b"250",
    b"\r\n" * 5,
    b"421 not now\r\n",
    b"554 go away\r\n",
    b"500 \xff\xfe\xfd\r\n",
    b"599\r\n",
    b"999 what\r\n",
    b"-20 x\r\n",
    b"2\xb20 x\r\n",
    b"abc def\r\n",
    b"334 \xff\r\n",
    b"334 not base64!\r\n" * 9,
    b"550-" + b"x" * 9000 + b"\r\n",
    b"550-more\r\n" * 2000,
    b"550 " + b"word " * 1500 + b"\r\n",
    b"<!doctype html><html><title>Log in</title></html>\r\n",
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2p1\r\n",
    b"\0" * 3000,
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"x" * 50_000,
    b"-ERR unknown command\r\n",
)
# `starttls` too, as nothing here encrypts.
LOGINS: tuple[dict[str, Any], ...] = (
    {"starttls": "never"},
    {"starttls": "auto"},
    {"starttls": "never", "username": "alice", "method": "plain"},
    {"starttls": "never", "username": "alice", "method": "login"},
    {"starttls": "never", "username": "alice", "method": "cram_md5"},
    {"starttls": "always"},
    {"tls": True},
)


def login(port: int, **given: Any) -> Login:
    return Login(
        "127.0.0.1", port, **{"username": "", "password": "CANARY", "source": "Vault path secret/smtp", **given}
    )


def scripted(wrong: str, answer: bytes) -> Talk:
    """Answer well, but at one step, and from there on."""
    said = {**GOOD, wrong: answer}

    def talk(link: socket.socket) -> None:
        link.sendall(said["greeting"])
        with link.makefile("rb") as lines:
            for line in lines:
                step = {b"EHLO": "ehlo", b"HELO": "ehlo", b"AUTH": "auth", b"MAIL": "mail"}.get(line[:4].upper(), wrong)
                if not said[step]:
                    return
                link.sendall(said[step])

    return talk


CASES = [(wrong, answer, given) for wrong in GOOD for answer in WRONG for given in LOGINS]
# A step that is not come to cannot be wrong.
POSSIBLE = [case for case in CASES if case[0] != ("mail" if case[2].get("username") else "auth")]
DRAWN = random.Random(SEED).sample(POSSIBLE, min(ANSWERS, len(POSSIBLE)))


@pytest.mark.parametrize(("number", "case"), [*enumerate(DRAWN)], ids=lambda case: str(case)[:60])
def test_no_answer_ends_in_more_than_a_sentence(
    monkeypatch: pytest.MonkeyPatch, number: int, case: tuple[str, bytes, dict[str, Any]]
) -> None:
    monkeypatch.setattr(smtp, "_SECONDS", 0.3)
    wrong, answer, given = case
    with server(scripted(wrong, answer)) as port:
        reported = one_sentence(lambda: handshake(login(port, **given)), 3)
    assert str(reported).startswith("Mail server 127.0.0.1:")
    assert "CANARY" not in str(reported)
    assert "b'" not in str(reported)


@pytest.mark.parametrize("step", GOOD)
def test_a_byte_now_and_then_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    monkeypatch.setattr(smtp, "_WHOLE_SECONDS", 0.5)

    def talk(link: socket.socket) -> None:
        for before in ("greeting", "ehlo"):
            if before == step:
                break
            link.sendall(GOOD[before])
            link.recv(1000)
        drip(link, b"250-x\r\n" * 5)

    given = {"username": "alice"} if step == "auth" else {}
    with server(talk) as port:
        reported = one_sentence(lambda: handshake(login(port, starttls="never", **given)), 2)
    assert "no whole answer came within" in str(reported)
