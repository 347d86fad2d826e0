# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the API server to run a command in a pod."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.exec_server import Kubelet, kubelet


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Kubelet]:
    """Serve one pod with a shell."""
    program = shutil.which("sh")
    assert program
    (tmp_path / "sh").symlink_to(program)
    with kubelet(tmp_path) as served:
        yield served


class Stream:
    """Sends what a command prints, and how it ended."""

    def __init__(self) -> None:
        self.messages = [b"\x01out", b"\x02err", b"\x03" + json.dumps({"status": "Success"}).encode(), b""]

    def recv(self) -> bytes:
        return self.messages.pop(0)

    def close(self) -> None:
        pass


def test_the_container_is_named_as_a_pod_may_have_several(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def opened(_connection: Any, path: str, _seconds: int) -> Stream:
        asked.append(path)
        return Stream()

    monkeypatch.setattr(pods, "open_stream", opened)
    connection: Any = None
    done = pods.run(connection, "mastodon", "web-0", "mastodon-web", ["tootctl", "version"])
    assert (done.code, done.stdout, done.stderr) == (0, "out", "err")
    [path] = asked
    assert urlsplit(path).path == "/api/v1/namespaces/mastodon/pods/web-0/exec"
    query = parse_qs(urlsplit(path).query)
    assert (query["container"], query["command"]) == (["mastodon-web"], ["tootctl", "version"])


def test_what_is_typed_is_read_and_is_no_part_of_the_request(shell: Kubelet) -> None:
    connection = connect({"kubernetes_host": f"http://127.0.0.1:{shell.port}"}, {})
    command = ["sh", "-c", "read word; echo $word | wc -c"]
    done = pods.run(connection, "mastodon", "web-0", "web", command, typed="canary\n")
    assert (done.code, done.stdout.strip()) == (0, "7")
    assert shell.commands == [command]


def test_what_time_it_is_in_a_pod_is_read_in_its_main_container(shell: Kubelet) -> None:
    (shell.programs / "date").symlink_to(shutil.which("date") or "")
    connection = connect({"kubernetes_host": f"http://127.0.0.1:{shell.port}"}, {})
    before = datetime.now(UTC).replace(microsecond=0)
    found = pods.clock(connection, "mastodon", "web-0", 10)
    assert before <= found <= datetime.now(UTC)
    assert shell.containers == {"web"}


def test_a_pod_that_does_not_say_what_time_it_is_is_named(shell: Kubelet) -> None:
    date = shell.programs / "date"
    date.write_text("#!/bin/sh\necho 5\necho gone wrong >&2\nexit 3\n")
    date.chmod(0o755)
    connection = connect({"kubernetes_host": f"http://127.0.0.1:{shell.port}"}, {})
    with pytest.raises(MastodonError, match=r"^Pod mastodon/web-0: does not say what time it is: gone wrong\."):
        pods.clock(connection, "mastodon", "web-0", 10)
