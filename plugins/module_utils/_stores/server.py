# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the user's own that Mastodon is to use."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError


class NotReadyError(MastodonError):
    """The server is there but starts, stops or changes its primary."""


class RefusedLoginError(MastodonError):
    """The server does not accept the login, or not yet: an operator may still have to give it a newer password."""


# Encrypted where the server can, as Mastodon's web server does by itself; always; with a certificate that a public authority
# vouches for; and never, so that anybody on the way may read along.
SSLMODES = ("prefer", "require", "verify-full", "disable")


@dataclass(frozen=True)
class Server:
    """Where it is, as pods find it. `dial` opens sockets to one that lies inside the cluster. `secret` names its login.

    `sslmode` is how to speak with PostgreSQL.
    """

    product: str
    host: str
    port: int
    secret: str
    dial: Callable[[], socket.socket] | None = None
    sslmode: str = "prefer"

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"{self.product} {self.host}:{self.port}"

    def open(self, seconds: float) -> socket.socket:
        """Return a connection. Raises OSError when there is no way to it."""
        if self.dial:
            return self.dial()
        try:
            return socket.create_connection((self.host, self.port), seconds)
        except OSError as error:
            raise OSError(f"no connection to {self.host}, port {self.port}: {error.strerror or error}") from error

    @property
    def remedy(self) -> str:
        """Return what to do when it does not accept the login."""
        return f"Correct the login that {self.secret} holds, where it comes from."


@contextmanager
def making_sense(server: Server, *known: type[Exception]) -> Iterator[None]:
    """Report in one sentence that a client could not make sense of what came, by whatever error of it but those `known`."""
    try:
        yield
    except (MastodonError, OSError):
        raise
    except known:
        raise
    except Exception as error:
        raise senseless(server, error) from error


def senseless(server: Server, error: Exception) -> MastodonError:
    """Return that what came is not of such a server. The error's own text has it in it."""
    remedy = "Check its host and port, and what is in between."
    return MastodonError(str(server), f"does not answer as {server.product} does", type(error).__name__, remedy)


def is_older(version: str, oldest: str) -> bool:
    """Return whether `version` comes before `oldest`; of each only the leading numbers count."""
    return _numbers(version) < _numbers(oldest)


def _numbers(version: str) -> list[int]:
    found = re.match(r"\d+(\.\d+)*", version)
    return [int(part) for part in found[0].split(".")] if found else []
