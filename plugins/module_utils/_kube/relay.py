# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that a pod opens for us, by a program that is in it: nothing is installed there, and nothing stays.

A relay says on standard error that its connection is open, or in the words of its system why not, and ends with its input.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import BoundedSemaphore
from urllib.parse import urlencode

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.carry import carried
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import (
    STDERR,
    STDOUT,
    NotStartedError,
    main_container,
    run,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.stream import open_stream
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.elsewhere import NotOpenedError, failure

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

_SECONDS = 10
# How many commands are started in the pod at once.
_STARTS = 8
_NAMES = "/etc/resolv.conf"
# What is not used for half a minute ends: whoever was cut off leaves nothing in the pod.
_PYTHON = """
import os, select, socket, sys
try:
    link = socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
except socket.timeout:
    sys.exit("Operation timed out")
except OSError as error:
    sys.exit(error.strerror)
link.settimeout(30)
os.write(2, b"opened\\n")
while ready := select.select([0, link], [], [], 30)[0]:
    for one in ready:
        data = os.read(0, 65536) if one == 0 else link.recv(65536)
        if not data:
            sys.exit()
        if one == 0:
            link.sendall(data)
        while one != 0 and data:
            data = data[os.write(1, data):]
"""
_PERL = """
use IO::Select; use IO::Socket::IP;
my ($host, $port, $seconds) = @ARGV;
my $link = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => $seconds, Type => SOCK_STREAM);
if (!$link) { print STDERR "$!\\n"; exit 1 }
$link->blocking(1);
syswrite STDERR, "opened\\n";
my $both = IO::Select->new(\\*STDIN, $link);
while (my @ready = $both->can_read(30)) {
    for my $from (@ready) {
        sysread $from, my $data, 65536 or exit;
        my $to = $from == $link ? \\*STDOUT : $link;
        while (length $data) { substr $data, 0, (syswrite $to, $data or exit), "" }
    }
}
""".strip()


@dataclass(frozen=True)
class Program:
    """One that opens connections: `names` has it print the name servers of its place, and `relay` what it is given to open one.

    `usage` has it list its options, where it may be one that does not say whether a connection is open.
    """

    names: Sequence[str]
    relay: Sequence[str]
    usage: Sequence[str] = ()


# In the order in which they are looked for. Debian's images have Perl, and so has Mastodon's; Alpine's have BusyBox.
PROGRAMS = (
    Program(
        ("python3", "-c", f"import select, socket; print(open({_NAMES!r}).read())"),
        ("python3", "-c", _PYTHON, "{address}", "{port}", "{seconds}"),
    ),
    Program(
        ("perl", "-MIO::Select", "-MIO::Socket::IP", "-pe", "1", _NAMES),
        ("perl", "-e", _PERL, "{address}", "{port}", "{seconds}"),
    ),
    Program(("cat", _NAMES), ("nc", "-v", "-w", "20", "{address}", "{port}"), ("nc", "-h")),
)
# As Alpine builds it, and not Debian, whose says nothing. Others of that name do not end when the other side does.
_TELLING = re.compile(r"BusyBox.*\s-v\s", re.DOTALL)
_OPENED = re.compile(r"(^opened|\sopen)$", re.MULTILINE)


@dataclass(frozen=True)
class Pod:
    """One that opens connections, by what it has. `nameservers` are those that it asks."""

    connection: Connection = field(repr=False)
    namespace: str
    name: str
    container: str
    program: Program
    nameservers: Sequence[str]
    _starts: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_STARTS), repr=False)

    def way(self, address: str, port: int, seconds: float) -> Dial:
        """Return what has a connection opened from there. It raises OSError as if we were there, and NotOpenedError."""
        return partial(self._open, address, port, time.monotonic() + seconds)

    def _open(self, address: str, port: int, until: float) -> socket.socket:
        left = _left(until)
        given = {"address": address, "port": str(port), "seconds": str(max(round(left), 1))}
        command = [part.format(**given) if part.startswith("{") else part for part in self.program.relay]
        asked = {"container": self.container, "command": command, "stdin": "true", "stdout": "true", "stderr": "true"}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}/exec?{urlencode(asked, doseq=True)}"
        if not self._starts.acquire(timeout=left):
            raise TimeoutError("timed out")
        try:
            return self._started(path, until)
        finally:
            self._starts.release()

    def _started(self, path: str, until: float) -> socket.socket:
        try:
            with within(_left(until)):
                stream = open_stream(self.connection, path, max(round(_left(until)), 1))
        except TimeoutError:
            raise
        except (OSError, ValueError, websocket.WebSocketException) as error:
            raise _lost(self.namespace, self.name, str(error)) from error
        try:
            first = _opened(stream, until)
        except OSError:
            stream.close()
            raise
        link = carried(stream, _heard, first)
        link.settimeout(_left(until))
        return link


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.001)


def _lost(namespace: str, name: str, why: str) -> NotOpenedError:
    remedy = f"Allow the kubeconfig's user to get and create pods/exec in namespace {namespace}."
    return NotOpenedError(f"Pod {namespace}/{name}", "cannot be looked from", why, remedy)


def _opened(stream: websocket.WebSocket, until: float) -> bytes:
    """Wait until the connection is open, and return what came over it by then. Raises OSError."""
    said = ""
    while True:
        stream.settimeout(_left(until))
        try:
            message = stream.recv()
        except (websocket.WebSocketException, OSError) as error:
            raise TimeoutError("timed out") if time.monotonic() >= until else _failure(said) from error
        data = message if isinstance(message, bytes) else message.encode()
        if data[:1] == STDOUT and data[1:]:
            # Nothing comes over a connection that is not open.
            return data[1:]
        if data[:1] == STDERR:
            said += data[1:].decode(errors="replace")
            if _OPENED.search(said):
                stream.settimeout(None)
                return b""
        elif data[:1] != STDOUT:
            raise _failure(said)


def _failure(said: str) -> OSError:
    words = next((line.strip().rpartition(": ")[2] for line in reversed(said.splitlines()) if line.strip()), "")
    return TimeoutError("timed out") if words.endswith("timed out") else failure(words)


def _heard(message: bytes) -> bytes:
    """Return what a message brings for the socket: what the program says besides is for nobody."""
    if message[:1] == STDOUT:
        return message[1:]
    if message[:1] in (b"", STDERR):
        return b""
    raise websocket.WebSocketConnectionClosedException("the program has ended")


def pod_at(connection: Connection, namespace: str, name: str) -> Pod:
    """Return a pod with the first of the programs that it has. Raises MastodonError."""
    container = main_container(connection, namespace, name)
    for program in PROGRAMS:
        with suppress(NotStartedError):
            said = partial(run, connection, namespace, name, container, seconds=_SECONDS)
            names, usage = said(program.names), said(program.usage) if program.usage else None
            if not names.code and (not usage or _TELLING.search(usage.stdout + usage.stderr)):
                found = re.findall(r"^nameserver\s+(\S+)", names.stdout, re.MULTILINE)
                return Pod(connection, namespace, name, container, program, found)
    why = f"container {container} has none of python3, perl and BusyBox' nc with -v"
    raise MastodonError(f"Pod {namespace}/{name}", "cannot be looked from", why, "Name a pod that has one.")
