# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that another machine opens, by a real server of OpenSSH on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.ssh import Machine, NotOpenedError, logged_in
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
            f"Machine {server.host}: cannot be looked from: administratively prohibited: open failed. "
            f"Try ssh {server.host} true here: it must ask nothing, and sshd there must have AllowTcpForwarding."
        )


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
