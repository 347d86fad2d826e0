# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files, read as kubectl reads them. This module util is PRIVATE to the collection.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import (
    Access,
    AccessError,
    Identity,
    bearer,
    text_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec_plugin import ExecPlugin

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import yaml


@dataclass(frozen=True)
class _Entry:
    """A cluster, user or context, and the folder that its relative paths start from."""

    content: Mapping[str, Any]
    folder: Path

    def text(self, key: str) -> str | None:
        """Return the value of `key`, or None when it is not set or empty."""
        value = self.content.get(key)
        if value and not isinstance(value, str):
            raise AccessError(f"{key} is no text")
        return value or None

    def pem(self, key: str) -> str | None:
        """Return the certificate or key that lies in `<key>-data` or else in the file that `key` names."""
        encoded = self.text(f"{key}-data")
        if encoded:
            try:
                return base64.b64decode(encoded, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise AccessError(f"{key}-data is not base64 of a PEM file") from error
        return self.file(key)

    def file(self, key: str) -> str | None:
        """Return the content of the file that `key` names, or None when it names none."""
        name = self.text(key)
        if not name:
            return None
        path = self.folder / Path(name).expanduser()
        return text_of(path, f"{key} {path}")


class _Merged:
    """Several files as one: of what more than one of them says, the first counts."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._documents = [(file.parent, _document(file)) for file in files]

    def current_context(self) -> str:
        named = [
            document["current-context"] for _folder, document in self._documents if document.get("current-context")
        ]
        if not named:
            raise AccessError("it has no current-context")
        return str(named[0])

    def entry(self, kind: str, name: str) -> _Entry:
        """Return the entry of `contexts`, `clusters` or `users`."""
        for folder, document in self._documents:
            for item in document.get(f"{kind}s") or []:
                if isinstance(item, dict) and item.get("name") == name and isinstance(item.get(kind), dict):
                    return _Entry(item[kind], folder)
        raise AccessError(f"it has no {kind} {name}")


def read_kubeconfig(files: Sequence[Path], context: str | None, environment: Mapping[str, str]) -> Access:
    """Return the way to the cluster of `context`, by default the current one.

    `environment` is what an exec plugin runs in. Raises AccessError.
    """
    merged = _Merged(files)
    chosen = merged.entry("context", context or merged.current_context())
    cluster = merged.entry("cluster", chosen.text("cluster") or "")
    name = chosen.text("user")
    user = merged.entry("user", name) if name else _Entry({}, cluster.folder)
    server = cluster.text("server")
    if not server:
        raise AccessError("its cluster has no server")
    headers, identity = _credentials(user, cluster, environment)
    return Access(
        server.rstrip("/"),
        headers,
        cluster.pem("certificate-authority"),
        not cluster.content.get("insecure-skip-tls-verify"),
        cluster.text("tls-server-name"),
        cluster.text("proxy-url"),
        identity,
    )


def _document(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 both are safe
    except yaml.MarkedYAMLError as error:
        # Its own text shows the line, in which a token may stand.
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise AccessError(f"{file} is no YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AccessError(f"{file} is no YAML") from error
    if not isinstance(document, dict):
        raise AccessError(f"{file} is {'empty' if document is None else 'no mapping'}")
    return document


def _credentials(
    user: _Entry, cluster: _Entry, environment: Mapping[str, str]
) -> tuple[Callable[[], dict[str, str]], Identity | None]:
    """Return what tells the current headers, and the client certificate."""
    if user.content.get("exec"):
        plugin = ExecPlugin(user.content["exec"], cluster.content, user.folder, environment)
        return plugin.headers, plugin.identity()
    if user.content.get("auth-provider"):
        # https://kubernetes.io/blog/2022/05/03/kubernetes-1-24-release-announcement/ and gone since 1.26.
        raise AccessError("its user has an auth-provider, which Kubernetes no longer has; let it use an exec plugin")
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    identity = Identity(certificate, key) if certificate and key else None
    if user.text("tokenFile"):
        # Whoever renews the token writes it there.
        return (lambda: bearer(user.file("tokenFile") or "")), identity
    return (lambda: _fixed(user)), identity


def _fixed(user: _Entry) -> dict[str, str]:
    token = user.text("token")
    if token:
        return bearer(token)
    name, password = user.text("username"), user.text("password")
    if name and password:
        return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}
    return {}
