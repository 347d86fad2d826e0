# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that print credentials, as those of cloud providers and OpenID Connect do.
https://kubernetes.io/docs/reference/config-api/client-authentication.v1/"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError, Identity, bearer
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_CLUSTER = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
# One that waits for somebody at a browser never ends.
_SECONDS = 60


class ExecPlugin:
    """The plugin of one kubeconfig user. It runs when first asked, and again when what it printed has expired."""

    def __init__(self, config: Mapping[str, Any], cluster: Entry, folder: Path, environment: Mapping[str, str]) -> None:
        self._config = config
        self._command = str(config.get("command", ""))
        self._folder = folder
        self._environment = {
            **environment,
            **{str(item["name"]): str(item["value"]) for item in config.get("env") or []},
            "KUBERNETES_EXEC_INFO": json.dumps(_request(config, cluster)),
        }
        self._status: dict[str, Any] = {}
        self._expires: datetime | None = None
        self._running = threading.Lock()

    def headers(self) -> dict[str, str]:
        """Return the current credentials. Raises AccessError when the plugin fails."""
        token = self._current().get("token")
        return bearer(token) if token else {}

    def identity(self) -> Identity | None:
        """Return the client certificate, if it prints one. Raises AccessError when the plugin fails."""
        status = self._current()
        certificate, key = status.get("clientCertificateData"), status.get("clientKeyData")
        return Identity(certificate, key) if certificate and key else None

    def _current(self) -> dict[str, Any]:
        with self._running:
            if not self._status or (self._expires and datetime.now(UTC) >= self._expires):
                self._status = self._parse(self._run())
                expires = self._status.get("expirationTimestamp")
                self._expires = datetime.fromisoformat(expires) if expires else None
            return self._status

    def _run(self) -> str:
        if self._config.get("apiVersion") not in _VERSIONS:
            raise AccessError(f"its exec plugin {self._command} is of apiVersion {self._config.get('apiVersion')}")
        if self._config.get("interactiveMode") == "Always":
            raise AccessError(f"its exec plugin {self._command} needs a terminal, which Ansible does not have")
        # Only one with a slash is looked for beside the kubeconfig: https://pkg.go.dev/k8s.io/client-go/tools/clientcmd
        command = str(self._folder / self._command) if "/" in self._command else self._command
        try:
            # It runs in an action too, which has no module whose run_command there could be.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [command, *map(str, self._config.get("args") or [])],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AccessError(f"its exec plugin {self._command} did not end within {_SECONDS} s") from error
        except OSError as error:
            hint = str(self._config.get("installHint") or "").strip()
            raise AccessError(f"its exec plugin {self._command}: {error.strerror}. {hint}".rstrip(". ")) from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
            raise AccessError(f"its exec plugin {self._command} ended with {done.returncode}: {last}")
        return done.stdout

    def _parse(self, printed: str) -> dict[str, Any]:
        try:
            answer = json.loads(printed)
            status = answer["status"]
            if not (status.get("token") or status.get("clientCertificateData")):
                raise KeyError("token")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AccessError(f"its exec plugin {self._command} printed no credentials") from error
        return dict(status)


def _request(config: Mapping[str, Any], cluster: Entry) -> dict[str, Any]:
    """Return what the plugin finds in KUBERNETES_EXEC_INFO."""
    spec: dict[str, Any] = {"interactive": False}
    if config.get("provideClusterInfo"):
        spec["cluster"] = {key: cluster.content[key] for key in _CLUSTER if key in cluster.content}
        if authority := cluster.pem("certificate-authority"):
            spec["cluster"]["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
        for extension in cluster.content.get("extensions") or []:
            if extension["name"] == "client.authentication.k8s.io/exec":
                spec["cluster"]["config"] = extension["extension"]
    return {"apiVersion": config.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
