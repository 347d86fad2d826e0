# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import download
from ansible_collections.fediverse.mastodon.plugins.plugin_utils import _manifests
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._manifests import content

TEXT = "kind: X\n"
SUM = hashlib.sha256(TEXT.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves TEXT at /found, leads there from /moved, and nothing elsewhere."""

    def do_GET(self) -> None:
        self.send_response({"/found": 200, "/moved": 302}.get(self.path, 404))
        if self.path == "/moved":
            self.send_header("Location", "/found")
        self.end_headers()
        self.wfile.write(TEXT.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


@pytest.mark.parametrize("checksum", [None, "", SUM, f"sha256:{SUM}", SUM.upper()])
def test_a_manifest_is_fetched_and_checked(server: str, checksum: str | None) -> None:
    assert content({"url": f"{server}/found", "checksum": checksum}, None) == TEXT


def test_a_manifest_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(TEXT)
    assert content({"checksum": SUM}, str(tmp_path / "x.yaml")) == TEXT


def test_another_file_than_expected_is_refused(server: str) -> None:
    with pytest.raises(MastodonError, match=f"is not the expected file: its sha256 is {SUM}"):
        content({"url": f"{server}/found", "checksum": "0" * 64}, None)


def test_where_a_manifest_has_moved_is_followed_only_with_a_checksum(server: str) -> None:
    assert content({"url": f"{server}/moved", "checksum": SUM}, None) == TEXT
    with pytest.raises(MastodonError, match=r"it has moved to /found. Give its checksum, .* or that address"):
        content({"url": f"{server}/moved"}, None)


def test_labels_are_left_out_where_they_are_and_nothing_else() -> None:
    labelled = {"kind": "ClusterRole", "metadata": {"name": "x", "labels": {"keep": "a", "drop": "b"}}}
    bare = {"kind": "ClusterRole", "metadata": {"name": "y", "labels": {"drop": "b"}}}
    odd = [None, "text", {"kind": "List"}, {"metadata": None}, {"metadata": {"labels": None}}]
    assert _manifests.without_labels([labelled, bare, *odd], ["drop", "other"]) == [
        {"kind": "ClusterRole", "metadata": {"name": "x", "labels": {"keep": "a"}}},
        {"kind": "ClusterRole", "metadata": {"name": "y", "labels": {}}},
        *odd,
    ]


def test_what_cannot_be_had_is_named(server: str, tmp_path: Path) -> None:
    with pytest.raises(MastodonError, match="/lost: cannot be fetched: 404 Not Found"):
        content({"url": f"{server}/lost"}, None)
    with pytest.raises(MastodonError, match=r"cannot be fetched: .*refused"):
        content({"url": "http://127.0.0.1:9/x"}, None)
    with pytest.raises(MastodonError, match="neither http nor https"):
        content({"url": "file:///etc/passwd"}, None)
    with pytest.raises(MastodonError, match="cannot be read: No such file"):
        content({}, str(tmp_path / "x"))


def test_what_is_no_text_or_too_large_is_refused(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(MastodonError, match="is not text"):
        content({}, str(tmp_path / "x"))
    monkeypatch.setattr(download, "_LARGEST", 3)
    with pytest.raises(MastodonError, match="is too large: more than 3 bytes"):
        content({"url": f"{server}/found"}, None)
