# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Vault in memory below hvac, which counts and orders what it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from requests.adapters import BaseAdapter

ADDRESS = "http://vault.test:8200"
Answer = tuple[int, dict[str, Any]]


class FakeVault(BaseAdapter):
    """KV version 2 mounts, policies, logins and roles, as far as the collection asks for them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        # One that is None is deleted; `destroyed` names those that cannot come back, as (path, number).
        self.versions: dict[str, list[dict[str, Any] | None]] = {}
        self.destroyed: set[tuple[str, int]] = set()
        # Up to which number a mount keeps versions no more.
        self.trimmed = 0
        self.mounts: dict[str, dict[str, Any]] = {"secret/": {"type": "kv", "options": {"version": "2"}}}
        self.logins: dict[str, dict[str, Any]] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.sealed = False
        self.initialized = True
        self.token = "good"
        self.before_write: Callable[[str], None] = lambda path: None
        self.failures: list[Exception | Answer] = []

    def send(self, request: requests.PreparedRequest, *_positional: Any, **_options: Any) -> requests.Response:
        """Answer one request."""
        path, _unused, query = (request.path_url or "").removeprefix("/v1/").partition("?")
        self.calls.append(f"{request.method} {path}")
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return _response(request, *failure)
        body = json.loads(request.body) if request.body else {"version": int(query.partition("version=")[2] or 0)}
        return _response(request, *self._answer(str(request.method), path, body, request.headers.get("X-Vault-Token")))

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, method: str, path: str, body: dict[str, Any], token: str | None) -> Answer:
        if path == "sys/health":
            return 200, {"initialized": self.initialized, "sealed": self.sealed, "version": "2.7.2"}
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        if path == "auth/token/lookup-self":
            return 200, {"data": {"policies": ["root"], "ttl": 0}}
        if path in ("sys/mounts", "sys/auth"):
            return 200, {"data": self.mounts if path == "sys/mounts" else self.logins}
        if "/data/" in path:
            return self._kv(method, path, body)
        return self._object(method, path, body)

    def _kv(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        versions = self.versions.setdefault(path, [])
        if method == "GET":
            if not versions:
                return 404, {"errors": []}
            number = body.get("version") or len(versions)
            if not self.trimmed < number <= len(versions):
                return 404, {"errors": []}
            gone = versions[number - 1] is None
            destroyed = (path, number) in self.destroyed
            deleted = "2026-11-01T00:00:00Z" if gone and not destroyed else ""
            metadata = {"version": number, "deletion_time": deleted, "destroyed": destroyed}
            return (404 if gone else 200), {"data": {"data": versions[number - 1], "metadata": metadata}}
        self.before_write(path)
        if body["options"]["cas"] != len(versions):
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        versions.append(body["data"])
        return 200, {"data": {"version": len(versions)}}

    def _object(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        if method == "GET":
            return (200, {"data": self.objects[path]}) if path in self.objects else (404, {"errors": []})
        if path.startswith("sys/mounts/"):
            self.mounts[path.removeprefix("sys/mounts/") + "/"] = body
        elif path.startswith("sys/auth/"):
            self.logins[path.removeprefix("sys/auth/") + "/"] = body
        else:
            self.objects[path] = body
        return 204, {}


def _response(request: requests.PreparedRequest, status: int, body: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode() if status != 204 else b""
    response.headers["Content-Type"] = "application/json"
    response.request = request
    response.url = request.url or ""
    return response


@pytest.fixture
def server() -> FakeVault:
    """An empty server with a KV version 2 mount at `secret`."""
    return FakeVault()


@pytest.fixture
def vault(server: FakeVault) -> Vault:
    """The client under test, in front of it, that does not really sleep."""
    session = requests.Session()
    session.mount("http://", server)
    return Vault(hvac.Client(url=ADDRESS, token="good", session=session), sleep=lambda _seconds: None)
