# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH's own server on the loopback, which lets in one key."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Server:
    """How it is reached."""

    host: str
    options: Sequence[str]
    process: subprocess.Popen[bytes]


@contextmanager
def serving(folder: Path, *settings: str) -> Iterator[Server]:
    """Yield a server while it runs."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program or not shutil.which("ssh"):
        pytest.skip("OpenSSH's server is not installed here: apt-get install openssh-server")
    for name in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keys = [f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/own.pub", "StrictModes no"]
    listen = [f"Port {port}", "ListenAddress 127.0.0.1", "PidFile none", "UsePAM no", "PermitRootLogin yes"]
    (folder / "config").write_text("\n".join([*settings, *keys, *listen, ""]))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        _await(port, process, folder / "log")
        known = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
        options = ("-F", "none", "-i", str(folder / "own"), "-p", str(port), *known)
        yield Server(f"{getpass.getuser()}@127.0.0.1", options, process)
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.skip(f"OpenSSH's server does not start here: {log.read_text().strip()[-200:]}")
