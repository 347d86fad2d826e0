# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import openbao
from mastodon_lab.parts.keys import Keys

KEYS = Keys("redis-secret", "s3-key", "s3-secret", "seal", "mastodon", "smtp-secret", "tsig-secret")
ROOT = "root-token"


class Bao(ThreadingHTTPServer):
    """As much of OpenBao as is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.health = 200
        self.initialised = False
        self.mounts: dict[str, Any] = {"sys/": {}}
        self.stored: dict[str, Any] = {}
        self.garbage = False

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        if path == "sys/health":
            return self.health, {}
        if path == "sys/init" and method == "GET":
            return 200, {"initialized": self.initialised}
        if path == "sys/init":
            self.initialised = True
            return 200, {"root_token": ROOT, "recovery_keys_base64": ["recovery"]}
        if token != ROOT:
            return 403, {"errors": ["permission denied"]}
        if path == "sys/mounts":
            return 200, {"data": self.mounts}
        if path.startswith("sys/mounts/"):
            self.mounts[path.removeprefix("sys/mounts/") + "/"] = body
            return 204, None
        if method == "GET":
            return (200, {"data": self.stored[path]}) if path in self.stored else (404, {"errors": []})
        self.stored[path] = body
        return 200, {"data": {"version": 1}}


class Handler(BaseHTTPRequestHandler):
    server: Bao

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.removeprefix("/v1/")
        status, answer = self.server.answer(self.command, path, self.headers.get("X-Vault-Token", ""), body)
        content = b"<html>" if self.server.garbage else json.dumps(answer).encode() if answer is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 the handler's interface

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the handler's interface
        pass


@pytest.fixture
def bao(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bao]:
    with Bao() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(openbao, "OPENBAO_PORT", server.server_port)
        monkeypatch.setattr(Lab, "openbao_ip", "127.0.0.1")
        yield server
        server.shutdown()


def test_a_new_one_is_initialised_and_given_its_secrets(lab: Lab, bao: Bao) -> None:
    openbao.set_up(lab, KEYS)
    assert lab.vault_token.read_text() == f"{ROOT}\n"
    assert json.loads((lab.state / "vault-recovery-keys").read_text()) == ["recovery"]
    assert {file.stat().st_mode & 0o777 for file in lab.state.iterdir()} == {0o600}
    assert bao.mounts["secret/"] == {"type": "kv", "options": {"version": "2"}}
    stored = {path.removeprefix("secret/data/mastodon/social.lab.test/"): body for path, body in bao.stored.items()}
    assert {path: body["data"] for path, body in stored.items()} == {
        "s3": {"access-key-id": "s3-key", "secret-access-key": "s3-secret"},
        "postgresql-backup": {"access-key-id": "s3-key", "secret-access-key": "s3-secret"},
        "media-copy": {"access-key-id": "s3-key", "secret-access-key": "s3-secret"},
        "redis": {"password": "redis-secret"},
        "smtp": {"username": "mastodon", "password": "smtp-secret"},
        "dns": {"tsig-key-name": "lab", "tsig-secret": "tsig-secret"},
    }
    assert {body["options"]["cas"] for body in stored.values()} == {0}


def test_what_is_there_stays(lab: Lab, bao: Bao) -> None:
    openbao.set_up(lab, KEYS)
    bao.stored["secret/data/mastodon/social.lab.test/smtp"] = "changed by the user"
    openbao.set_up(lab, KEYS)
    assert bao.stored["secret/data/mastodon/social.lab.test/smtp"] == "changed by the user"


def test_a_lost_token_is_said(lab: Lab, bao: Bao) -> None:
    bao.initialised = True
    with pytest.raises(LabError, match=r"its root token is not in .*vault-token\. Restore the file, or start over"):
        openbao.set_up(lab, KEYS)


@pytest.mark.usefixtures("bao")
def test_a_wrong_token_is_said_but_not_shown(lab: Lab, bao: Bao) -> None:
    bao.initialised = True
    lab.vault_token.write_text("wrong-token")
    with pytest.raises(LabError, match=r"^OpenBao sys/mounts: permission denied\.") as refused:
        openbao.set_up(lab, KEYS)
    assert "wrong-token" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, ""), (501, "it is not initialised"), (503, "it is sealed"), (429, "it is answering 429")],
)
def test_health_is_said(lab: Lab, bao: Bao, status: int, said: str) -> None:
    bao.health = status
    assert openbao.trouble(lab) == said


def test_something_else_is_said(lab: Lab, bao: Bao) -> None:
    bao.garbage = True
    assert "what answers there is not OpenBao" in openbao.trouble(lab)
    with pytest.raises(LabError, match="what answers there is not OpenBao"):
        openbao.set_up(lab, KEYS)


def test_silence_is_said(lab: Lab, bao: Bao) -> None:
    bao.shutdown()
    bao.server_close()
    assert openbao.trouble(lab).startswith("it does not answer: ")
    with pytest.raises(LabError, match=r"^OpenBao sys/init: "):
        openbao.set_up(lab, KEYS)
