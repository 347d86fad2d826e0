# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server refuses it may quote, passwords among it: a server of this process that does so, as Redis and Dragonfly do."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import redis_server
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import RefusedLoginError, Server

OLD, NEW = "canary-old", "canary-new"


class Speaker(socketserver.StreamRequestHandler):
    """Speaks RESP, and to each command of `refusals` what is there, with the arguments quoted."""

    refusals: ClassVar[dict[str, str]] = {}

    def handle(self) -> None:
        while line := self.rfile.readline():
            words = [self._word() for _unused in range(int(line[1:]))]
            quoted = " ".join(f"'{word}'" for word in words[1:])
            refusal = self.refusals.get(words[0].upper())
            usual = "%1\r\n$5\r\nproto\r\n:3\r\n" if words[0].upper() == "HELLO" else "+OK\r\n"
            self.wfile.write((f"-{refusal.format(quoted)}\r\n" if refusal else usual).encode())

    def _word(self) -> str:
        return self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2].decode()


@contextmanager
def server(**refusals: str) -> Iterator[Server]:
    speaker = type("Speaking", (Speaker,), {"refusals": refusals})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), speaker) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield Server("Redis", "127.0.0.1", listening.server_address[1], "Vault path secret/m/redis")
        listening.shutdown()


# https://github.com/redis/redis/blob/8.0/src/server.c (commandCheckExistence), https://github.com/redis/redis/blob/8.0/src/acl.c
UNKNOWN = "ERR unknown command '{}', with args beginning with: {{}}"
CHANGES: dict[str, Callable[[Server], object]] = {
    "admit": lambda it: redis_server.admit(it, OLD, NEW),
    "dismiss": lambda it: redis_server.dismiss(it, NEW, OLD),
}


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (UNKNOWN.format("ACL"), ": it does not know the command. "),
        ("NOPERM this user has no permissions to run the 'acl|setuser' command {}", ": its user has no right to. "),
        ("ERR Error in ACL SETUSER modifier {}: Syntax error", ". "),
        ("WRONGPASS {}", ". "),
        ("LOADING {}", ". "),
    ],
)
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_server_says_to_a_password_is_not_shown(change: str, refusal: str, why: str) -> None:
    with server(ACL=refusal) as it, pytest.raises((MastodonError, OSError)) as caught:
        CHANGES[change](it)
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"
    if refusal.startswith(("ERR", "NOPERM")):
        assert str(caught.value) == f"{it}: refuses to be asked{why}Allow its user to run ACL SETUSER."


@pytest.mark.parametrize("refusal", [UNKNOWN.format("HELLO"), "WRONGPASS no such login: {}", "LOADING {}"])
def test_what_a_server_says_to_a_login_is_not_shown(refusal: str) -> None:
    with server(HELLO=refusal, AUTH=refusal) as it, pytest.raises((MastodonError, OSError)) as caught:
        redis_server.ask(it, OLD)
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"
    assert isinstance(caught.value, RefusedLoginError) is refusal.startswith("WRONGPASS")


def test_what_a_server_says_to_a_command_without_a_password_is_shown() -> None:
    with server(SAVE="ERR Background save already in progress") as it, pytest.raises(MastodonError) as caught:
        redis_server.save(it, OLD)
    assert str(caught.value).startswith(f"{it}: refuses to be asked: Background save already in progress")
