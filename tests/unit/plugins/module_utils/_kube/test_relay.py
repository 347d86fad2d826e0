# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections through a pod, by each program that it may have: all of them as if we were there."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.relay import Pod, pod_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.elsewhere import NotOpenedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.exec_server import Kubelet, kubelet

# What each pod has.
HAS = {
    "python3": {"python3": sys.executable, "perl": "perl", "cat": "cat"},
    "perl": {"perl": "perl", "cat": "cat"},
    "nc": {"nc": "", "cat": "cat"},
}
# As that of Alpine's BusyBox (networking/nc_bloaty.c).
NC = f"""#!{sys.executable}
import os, select, socket, sys
if sys.argv[1:] == ["-h"]:
    sys.exit("BusyBox v1.36.1 multi-call binary.\\n\\nUsage: nc [OPTIONS] HOST PORT\\n\\n\\t-v\\tVerbose")
_flag, _wait, seconds, host, port = sys.argv[1:]
place = host + " (" + host + ":" + port + ")"
try:
    link = socket.create_connection((host, int(port)), int(seconds))
except TimeoutError:
    sys.exit("nc: timed out")
except OSError as error:
    sys.exit("nc: " + place + ": " + error.strerror)
print(place, "open", file=sys.stderr, flush=True)
link.settimeout(None)
while True:
    for one in select.select([0, link], [], [])[0]:
        data = os.read(0, 8192) if one == 0 else link.recv(8192)
        if not data:
            sys.exit()
        link.sendall(data) if one == 0 else sys.stdout.buffer.write(data)
        sys.stdout.flush()
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Kubelet]:
    with kubelet(tmp_path) as served:
        yield served


def give(served: Kubelet, kind: str) -> None:
    """Give the pod its programs."""
    for name, program in HAS[kind].items():
        if path := shutil.which(program or "none"):
            (served.programs / name).symlink_to(path)
        else:
            (served.programs / name).write_text(NC)
            (served.programs / name).chmod(0o755)


def connection(served: Kubelet) -> Connection:
    return connect({"kubernetes_host": f"http://127.0.0.1:{served.port}"}, {})


def through(served: Kubelet, kind: str) -> Pod:
    give(served, kind)
    return pod_at(connection(served), "mastodon", "web-0")


@pytest.fixture(params=HAS)
def pod(here: Kubelet, request: pytest.FixtureRequest) -> Pod:
    return through(here, request.param)


def echoing() -> int:
    """Return the port of a server that greets, says everything back, and ends after a word."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening.accept()[0] as link:
            link.sendall(b"hello\n")
            while data := link.recv(65536):
                link.sendall(data)
                if data.endswith(b"bye"):
                    return

    Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


def read(link: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (data := link.recv(65536)):
        got += data
    return got


def test_the_first_program_that_is_there_is_taken_in_the_pods_main_container(
    here: Kubelet, request: pytest.FixtureRequest, pod: Pod
) -> None:
    assert pod.program.relay[0] == request.node.callspec.params["pod"]
    assert list(pod.program.names) in here.commands
    assert here.containers == {"web"}
    resolv = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    assert pod.nameservers == [line[1] for line in resolv if line[:1] == ["nameserver"]]


def test_what_is_sent_comes_back_whole_and_its_end_is_seen(pod: Pod) -> None:
    much = bytes(range(256)) * 4096
    with pod.way("127.0.0.1", echoing(), 10)() as link:
        assert read(link, 6) == b"hello\n"
        sender = Thread(target=link.sendall, args=(much + b"bye",))
        sender.start()
        assert read(link, len(much) + 3) == much + b"bye"
        assert link.recv(10) == b""
        sender.join()


def test_a_refused_connection_is_refused_here_as_well(pod: Pod) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        pod.way("127.0.0.1", port, 10)()


def test_a_silent_address_takes_no_longer_than_it_may(pod: Pod) -> None:
    # Of which none is taken.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _each in range(3)]
        for link in waiting:
            link.setblocking(False)
            link.connect_ex(full.getsockname())
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            pod.way("127.0.0.1", full.getsockname()[1], 1.5)()
        assert time.monotonic() - began < 4
        for link in waiting:
            link.close()


def test_nothing_stays_in_the_pod(here: Kubelet, pod: Pod) -> None:
    link = pod.way("127.0.0.1", echoing(), 10)()
    read(link, 6)
    link.close()
    assert here.running[-1].wait(10) == 0


@pytest.mark.parametrize("has", [{}, {"cat": "cat", "nc": "echo"}, {"cat": "cat", "nc": "busybox"}])
def test_a_pod_without_any_of_them_is_named(here: Kubelet, has: dict[str, str]) -> None:
    for name, program in has.items():
        # One that is not of BusyBox, or does not know -v.
        if path := shutil.which(program):
            (here.programs / name).symlink_to(path)
    with pytest.raises(MastodonError) as caught:
        pod_at(connection(here), "mastodon", "web-0")
    assert str(caught.value) == (
        "Pod mastodon/web-0: cannot be looked from: container web has none of python3, perl and BusyBox' nc with -v. "
        "Name a pod that has one."
    )


def test_whoever_may_not_run_commands_is_told_which_right_is_missing(here: Kubelet) -> None:
    pod = through(here, "perl")
    here.refused = 'pods "web-0" is forbidden'
    for refused in (lambda: pod_at(pod.connection, "mastodon", "web-0"), pod.way("127.0.0.1", 1, 5)):
        with pytest.raises(MastodonError) as caught:
            refused()
        assert caught.value.remedy == "Allow the kubeconfig's user to get and create pods/exec in namespace mastodon."
    assert isinstance(caught.value, NotOpenedError)
