# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that another machine opens for us, over one of OpenSSH to it: nothing is installed or run there.

https://man.openbsd.org/ssh#W
"""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore, Thread
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.elsewhere import NotOpenedError, failure

# Nobody is there to answer questions, and what else the user's configuration does at a login is not wanted.
_OPTIONS = (
    *("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5"),
    *("-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none", "-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
)
_SECONDS = 15.0
# A server turns logins away of which ten have begun: https://man.openbsd.org/sshd_config#MaxStartups
_LOGINS = BoundedSemaphore(4)
# What the client says when the other machine has opened a connection: a silent one says nothing else before its end.
_OPENED = b"master session id"
_REFUSED = re.compile(r"open failed: (.*)")
# With which no connection is opened, wherever to: https://www.rfc-editor.org/rfc/rfc4254#section-5.1
_FORBIDDEN = ("administratively prohibited", "unknown channel type")
_USER = re.compile(r"[^\s@]+@(?=\S)")


def called(host: str) -> str:
    """Return how reports, which may be public, call a host of ssh: without who logs in there."""
    return urlsplit(host).hostname or "" if host.startswith("ssh://") else host.rpartition("@")[2]


@dataclass(frozen=True)
class Machine:
    """One that opens connections, by a connection to it at `path`."""

    host: str
    path: Path
    options: Sequence[str] = ()

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Machine {called(self.host)}"

    def way(self, address: str, port: int, seconds: float) -> Dial:
        """Return what has a connection opened from there. It raises OSError as if we were there, and NotOpenedError."""
        return partial(self._open, address, port, time.monotonic() + seconds)

    def login(self) -> None:
        """Connect to it. Raises NotOpenedError."""
        with tempfile.TemporaryFile() as said:
            try:
                # It stays, and would keep a pipe open.
                done = subprocess.run(  # pylint: disable=ansible-bad-function
                    [*self._command(), "-fNM", "-o", "ClearAllForwardings=yes", "--", self.host],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    timeout=_SECONDS,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                words = f"{error.strerror}" if isinstance(error, OSError) else f"no answer within {_SECONDS:.0f} s"
                raise self._lost(words) from error
            said.seek(0)
            if done.returncode:
                raise self._lost(_last(said.read()))

    def logout(self) -> None:
        """End the connection to it."""
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # pylint: disable=ansible-bad-function
                [*self._command(), "-O", "exit", "--", self.host], capture_output=True, timeout=_SECONDS, check=False
            )

    def _command(self) -> Sequence[str]:
        return ("ssh", *self.options, *_OPTIONS, "-S", str(self.path))

    def _lost(self, why: str) -> NotOpenedError:
        remedy = f"Try ssh {self.host} true here: it must ask nothing, and sshd there must have AllowTcpForwarding."
        return NotOpenedError(str(self), "cannot be looked from", _USER.sub("", why), remedy)

    def _open(self, address: str, port: int, until: float) -> socket.socket:
        to = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        ours, theirs = socket.socketpair()
        command = [*self._command(), "-v", "-W", to, "--", self.host]
        with theirs:
            end = theirs.fileno()
            client = subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.PIPE)
        if _is_opened(client, until):
            # It ends with the connection, and is then taken leave of.
            Thread(target=client.communicate, daemon=True).start()
            ours.settimeout(max(until - time.monotonic(), 0.001))
            return ours
        ours.close()
        client.kill()
        client.communicate()
        raise self._why(to, until)

    def _why(self, to: str, until: float) -> OSError | NotOpenedError:
        """Return why a connection was not opened, which a client says only over a connection of its own."""
        if not _LOGINS.acquire(timeout=max(until - time.monotonic(), 0)):
            return TimeoutError("timed out")
        command = ["ssh", *self.options, *_OPTIONS, "-S", "none", "-W", to, "--", self.host]
        try:
            left = max(until - time.monotonic(), 0)
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=left, check=False
            )
        except subprocess.TimeoutExpired:
            return TimeoutError("timed out")
        finally:
            _LOGINS.release()
        found = _REFUSED.search(done.stderr.decode(errors="replace"))
        if not found:
            return self._lost(_last(done.stderr)) if done.returncode else ConnectionError("closed at once")
        said = found[1].strip()
        return self._lost(said) if said.startswith(_FORBIDDEN) else failure(said.removeprefix("connect failed: "))


@contextmanager
def logged_in(host: str, options: Sequence[str] = ()) -> Iterator[Machine]:
    """Yield a machine while there is a connection to it. Raises NotOpenedError."""
    # A path of a socket may have some hundred letters only.
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder:
        machine = Machine(host, Path(folder) / "s", options)
        machine.login()
        try:
            yield machine
        finally:
            machine.logout()


def _is_opened(client: subprocess.Popen[bytes], until: float) -> bool:
    said, stderr = b"", client.stderr
    while stderr and _OPENED not in said:
        readable, _unused, _none = select.select([stderr], [], [], max(until - time.monotonic(), 0))
        more = os.read(stderr.fileno(), 4096) if readable else b""
        if not more:
            return False
        said += more
    return True


def _last(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "ssh said nothing"
