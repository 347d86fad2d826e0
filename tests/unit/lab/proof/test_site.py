# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.parts import dns
from mastodon_lab.proof import site as module
from mastodon_lab.proof.site import Site

SITE = Site("192.0.2.1", ("kubectl",), "http://vault.test", "token", "", dns_address="192.0.2.10")


@contextmanager
def server(status: int = 200, body: bytes = b"picture") -> Iterator[tuple[int, list[dict[str, str]]]]:
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            self.send_response(status)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    made = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made.server_port, asked
    finally:
        made.shutdown()
        made.server_close()


def test_a_host_is_found_by_the_lab_s_dns_and_asked_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {("s3.lab.test", "192.0.2.10"): "127.0.0.1"}
    monkeypatch.setattr(dns, "address_of", lambda name, server: known[name, server])
    with server() as (port, asked):
        answer = SITE.fetch(f"http://s3.lab.test:{port}/media/a.png")
    assert (answer.status, answer.media_type, answer.body) == (200, "image/png", b"picture")
    assert (asked[0]["path"], asked[0]["host"]) == ("/media/a.png", f"s3.lab.test:{port}")
    assert "authorization" not in asked[0]


def test_a_host_that_dns_does_not_know_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str, server: str) -> str:
        raise OSError(f"there is no {name}")

    monkeypatch.setattr(dns, "address_of", unknown)
    with pytest.raises(LabError, match=r"GET http://media\.test/a: its host can't be found: there is no media\.test"):
        SITE.fetch("http://media.test/a")


@pytest.mark.parametrize(("status", "body"), [(403, b"{}"), (200, b"no JSON")])
def test_what_is_no_json_is_one_sentence(status: int, body: bytes) -> None:
    with server(status, body) as (port, _asked), pytest.raises(LabError, match=rf"^GET http://127\.0\.0\.1:{port}/: "):
        module.json_of(f"http://127.0.0.1:{port}/")


def test_json_is_asked_for_with_headers() -> None:
    with server(200, json.dumps({"a": 1}).encode()) as (port, asked):
        assert module.json_of(f"http://127.0.0.1:{port}/v1", X_Vault_Token="t") == {"a": 1}
    assert asked[0]["x-vault-token"] == "t"


def test_certificates_of_before_a_restart_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.acme, "root", lambda *_unused: "now")
    monkeypatch.setattr(module.ssl, "create_default_context", lambda **_unused: None)
    (tmp_path / "token").write_text("t")
    (tmp_path / "roots.pem").write_text("before\nnow\n")
    facts = {
        "gateway_address": "192.0.2.1",
        "kubeconfig": "k",
        "vault_address": "v",
        "vault_token_file": str(tmp_path / "token"),
        "acme_root": "https://192.0.2.2:15000/roots/0",
        "acme_ca_file": "ca",
        "dns_address": "192.0.2.3",
    }
    for noted, trusted in (({}, ["now"]), ({"acme_roots": str(tmp_path / "roots.pem")}, ["now", "before", "now"])):
        (tmp_path / "lab.json").write_text(json.dumps(facts | noted))
        assert Site.from_facts(tmp_path / "lab.json", Path("kubectl")).authority.split() == trusted


def test_a_command_that_fails_says_why_in_one_line() -> None:
    assert module.run("sh", "-c", "echo out") == "out\n"
    with pytest.raises(LabError, match=r"^echo first >&2.*: failed: last\.$"):
        module.run("sh", "-c", "echo first >&2; echo last >&2; false")
