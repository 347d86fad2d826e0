# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that another machine opens, by a real server of OpenSSH on the loopback."""

from __future__ import annotations

import errno
import os
import re
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import reason
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.ssh import (
    Machine,
    NotOpenedError,
    called,
    logged_in,
)
from ansible_collections.fediverse.mastodon.tests.unit.sshd import Server, serving


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def machine(sshd: Server) -> Iterator[Machine]:
    with logged_in(sshd.host, sshd.options) as found:
        yield found


@pytest.fixture
def echo() -> Iterator[int]:
    """Serve what sends back one message."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            link, _unused = listening.accept()
            with link:
                link.sendall(link.recv(100).upper())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def test_a_connection_that_is_opened_there_carries_both_ways_to_its_end(machine: Machine, echo: int) -> None:
    with machine.way("127.0.0.1", echo, 10)() as link:
        link.sendall(b"hello")
        assert link.recv(100) == b"HELLO"
        assert link.recv(100) == b""


def test_a_server_that_is_silent_is_connected_to_all_the_same(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        machine.way("127.0.0.1", listening.getsockname()[1], 10)().close()
        listening.accept()[0].close()


def test_what_nobody_takes_is_refused_as_if_we_were_there(machine: Machine) -> None:
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        machine.way("127.0.0.1", 1, 10)()


def test_a_connection_that_takes_too_long_is_given_up(machine: Machine) -> None:
    with pytest.raises(TimeoutError, match="timed out"):
        machine.way("127.0.0.1", 1, 0.0)()


def test_a_machine_that_opens_no_connections_is_no_fault_of_whom_they_were_for(tmp_path: Path) -> None:
    with serving(tmp_path, "AllowTcpForwarding no") as server, logged_in(server.host, server.options) as machine:
        with pytest.raises(NotOpenedError) as caught:
            machine.way("127.0.0.1", 1, 10)()
        assert str(caught.value) == (
            f"Machine 127.0.0.1: cannot be looked from: administratively prohibited: open failed. "
            f"Try ssh {server.host} true here: it must ask nothing, and sshd there must have AllowTcpForwarding."
        )


def test_many_connections_that_fail_at_once_are_no_fault_of_the_machine(tmp_path: Path) -> None:
    # By default it is 10:30:100, and chance.
    with (
        serving(tmp_path, "MaxStartups 5:100:5") as server,
        logged_in(server.host, server.options) as machine,
        ThreadPoolExecutor(16) as pool,
    ):
        opened = [pool.submit(machine.way("127.0.0.1", 1, 30)) for _number in range(16)]
        assert {type(one.exception()) for one in opened} == {ConnectionRefusedError}


def test_a_machine_that_does_not_let_us_in_is_told_before_anything_is_asked(sshd: Server) -> None:
    stranger = tuple(one for one in sshd.options if one != "-i" and not one.endswith("/own"))
    with pytest.raises(NotOpenedError) as caught, logged_in(sshd.host, stranger):
        pass
    assert "cannot be looked from: " in str(caught.value)
    assert "Permission denied" in str(caught.value)


def test_a_machine_that_goes_away_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as server, logged_in(server.host, server.options) as machine:
        machine.logout()
        server.process.terminate()
        server.process.wait()
        with pytest.raises(NotOpenedError):
            machine.way("127.0.0.1", 1, 10)()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Machine]:
    """Return a machine of another system, whose words OpenSSH's client passes on as it does."""

    def made(*said: str) -> Machine:
        client = tmp_path / "ssh"
        client.write_text(f"#!/bin/sh\nprintf '%s\\r\\n' {shlex.join(said)} >&2\nexit 255\n")
        client.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return Machine("root@192.0.2.7", tmp_path / "s")

    return made


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("connect failed: Operation timed out", errno.ETIMEDOUT, "Connection timed out"),
        ("connect failed: Can't assign requested address", errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        ("connect failed: Address not available", errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        ("connect failed: Network unreachable", errno.ENETUNREACH, "Network is unreachable"),
        ("connect failed: Host is unreachable", errno.EHOSTUNREACH, "No route to host"),
        (
            "connect failed: Address family not supported by protocol family",
            errno.EAFNOSUPPORT,
            "Address family not supported by protocol",
        ),
        ("connect failed: No route to host", errno.EHOSTUNREACH, "No route to host"),
        ("connect failed: something that nobody listed", None, "something that nobody listed"),
        ("connect failed: ", None, "connect failed:"),
        ("resource shortage: no more", None, "resource shortage: no more"),
        ("unknown reason: ", None, "unknown reason:"),
    ],
)
def test_what_another_system_says_of_a_connection_is_said_of_that_connection_alone(
    stand_in: Callable[..., Machine], words: str, code: int | None, said: str
) -> None:
    with pytest.raises(OSError, match=re.escape(said)) as caught:
        stand_in(f"channel 0: open failed: {words}", "stdio forwarding failed").way("192.0.2.1", 443, 10)()
    assert (caught.value.errno, reason(caught.value)) == (code, said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("channel 0: open failed: administratively prohibited: ", "administratively prohibited"),
        ("channel 0: open failed: unknown channel type: ", "unknown channel type"),
        ("root@192.0.2.7: Permission denied (publickey).", "192.0.2.7: Permission denied (publickey)"),
    ],
)
def test_a_machine_that_lets_nobody_through_is_said_of_the_machine(
    stand_in: Callable[..., Machine], said: str, why: str
) -> None:
    with pytest.raises(NotOpenedError) as caught:
        stand_in(said).way("192.0.2.1", 443, 10)()
    assert f"cannot be looked from: {why}. Try ssh" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("root@192.0.2.7", "192.0.2.7"),
        ("berlin", "berlin"),
        ("a@b@berlin", "berlin"),
        ("root@2001:db8::7", "2001:db8::7"),
        ("ssh://root@berlin.example.net:2222", "berlin.example.net"),
        ("ssh://berlin", "berlin"),
    ],
)
def test_a_machine_is_called_by_its_name_without_who_logs_in(host: str, name: str) -> None:
    assert called(host) == name
