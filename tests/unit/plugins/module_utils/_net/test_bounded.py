# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a block's time is over, so are its connections, and no others; clients against such servers are in odd_answers."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watched, within


@pytest.fixture
def links() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    with ours, theirs:
        yield ours, theirs


def test_who_reads_learns_when_the_time_is_over(links: tuple[socket.socket, socket.socket]) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="no whole answer came within 0 s"), within(0.1):
        assert watched(links[0]).recv(10) == b""
    assert 0.05 < time.monotonic() - began < 30


def test_what_the_client_makes_of_it_is_its_cause(links: tuple[socket.socket, socket.socket]) -> None:
    def read() -> None:
        with within(0.1):
            watched(links[0]).recv(10)
            raise ValueError("an answer that was cut")

    with pytest.raises(TimeoutError) as reported:
        read()
    assert isinstance(reported.value.__cause__, ValueError)


def test_a_connection_that_is_opened_too_late_ends_at_once(links: tuple[socket.socket, socket.socket]) -> None:
    def read() -> None:
        with within(0.05):
            watched(links[0]).recv(10)
            again, other = socket.socketpair()
            with again, other:
                again.settimeout(5)
                assert watched(again).recv(10) == b""

    with pytest.raises(TimeoutError):
        read()


def test_in_time_nothing_ends(links: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = links
    with within(0.2):
        theirs.sendall(b"a")
        assert watched(ours).recv(1) == b"a"
    time.sleep(0.3)
    theirs.sendall(b"b")
    assert ours.recv(1) == b"b"
    # Outside of a block nothing is bounded.
    assert watched(ours) is ours


def test_the_innermost_block_counts_and_its_own_error_is_reported(links: tuple[socket.socket, socket.socket]) -> None:
    with within(5):
        with pytest.raises(TimeoutError), within(0.05):
            watched(links[0]).recv(10)
        with pytest.raises(ValueError, match="not of time"), within(5):
            raise ValueError("not of time")


def test_a_fork_bounds_too(links: tuple[socket.socket, socket.socket]) -> None:
    with within(5):
        watched(links[0])
    child = os.fork()
    if not child:
        try:
            with within(0.1):
                watched(links[0]).recv(10)
        except TimeoutError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_tls_ends_by_the_connection_below_it(links: tuple[socket.socket, socket.socket]) -> None:
    context = ssl.create_default_context()
    with pytest.raises(TimeoutError), within(0.1):
        context.wrap_socket(watched(links[0]), server_hostname="example.org")
