# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does Redis answer who knows its password?"""

from __future__ import annotations

import socket

from mastodon_lab.errors import LabError

PORT = 6379
SECONDS = 5.0


def prove(host: str, password: str) -> None:
    """Raise LabError unless Redis answers PING to who knows the password, and refuses who doesn't."""
    if _ask(host, "PING") == "+PONG":
        raise LabError("Redis: it answers without a password. Delete its Secret cache/redis and run lab/up again.")
    if _ask(host, f"AUTH {password}", "PING") != "+PONG":
        raise LabError(
            "Redis: it refuses the password in the lab's state. "
            "Restart it with `kubectl -n cache delete pod redis-0`, then run lab/up again."
        )


def _ask(host: str, *commands: str) -> str:
    """The answer to the last of some inline commands (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
    try:
        with socket.create_connection((host, PORT), SECONDS) as link, link.makefile("rw", newline="\r\n") as lines:
            answer = ""
            for command in commands:
                print(command, file=lines, flush=True)
                answer = lines.readline().strip()
            return answer
    except OSError as error:
        raise LabError(f"Redis: it does not answer: {error}. See `kubectl -n cache logs redis-0`.") from error
