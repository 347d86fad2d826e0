# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cluster and a user, as kubeconfigs describe them, to the way to that cluster as that user.

What kubectl would not do is refused; nothing that is asked for is passed over.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import impersonation
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import (
    Access,
    AccessError,
    Identity,
    bearer,
    header_value,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec_plugin import ExecPlugin

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from urllib3 import HTTPHeaderDict

Headers = Callable[[], Mapping[str, str]]

# Gone from kubectl: https://kubernetes.io/blog/2022/05/03/kubernetes-1-24-release-announcement/
_SUCCESSORS = {"gcp": "gke-gcloud-auth-plugin", "azure": "kubelogin"}
_CREDENTIALS = (
    "token",
    "tokenFile",
    "username",
    "client-certificate",
    "client-certificate-data",
    "exec",
    "auth-provider",
)


def access_of(cluster: Entry, user: Entry, environment: Mapping[str, str]) -> Access:
    """Return the way. `environment` is what an exec plugin runs in. Raises AccessError."""
    server = _server(cluster)
    authority, verify = cluster.pem("certificate-authority"), not cluster.flag("insecure-skip-tls-verify")
    if authority and not verify:
        raise AccessError("it has a certificate-authority and insecure-skip-tls-verify, of which only one can be meant")
    acting = impersonation.headers_of(user)
    if server.startswith("http:") and (acting or any(user.content.get(key) for key in _CREDENTIALS)):
        raise AccessError(f"its server {server} is http, where anybody could read its user's credentials")
    headers, identity = _credentials(user, cluster, environment)
    return Access(
        server,
        _acting(headers, acting) if acting else headers,
        authority or None,
        verify,
        cluster.text("tls-server-name") or None,
        cluster.text("proxy-url") or None,
        identity,
    )


def _server(cluster: Entry) -> str:
    server = cluster.text("server").rstrip("/")
    if not server:
        raise AccessError("its cluster has no server")
    return server if "://" in server else f"https://{server}"


def _acting(headers: Headers, acting: list[tuple[str, str]]) -> Headers:
    def all_headers() -> Mapping[str, str]:
        together = HTTPHeaderDict(headers())
        for name, value in acting:
            together.add(name, value)
        return together

    return all_headers


def _credentials(user: Entry, cluster: Entry, environment: Mapping[str, str]) -> tuple[Headers, Identity | None]:
    """Return what gives the current headers, and the client certificate."""
    identity = _identity(user)
    if user.text("token") and (user.text("username") or user.text("password")):
        raise AccessError("its user has a token and a password, of which only one can be meant")
    fixed = _fixed(user)
    if user.text("tokenFile"):
        return (lambda: _renewed(user) or fixed), identity
    if fixed or identity:
        return (lambda: fixed), identity
    if user.content.get("exec"):
        plugin = ExecPlugin(user.content["exec"], cluster, user.folder, environment)
        return plugin.headers, plugin.identity()
    if user.content.get("auth-provider"):
        token = _provided(Entry(user.content["auth-provider"]))
        return (lambda: token), None
    return dict, None


def _identity(user: Entry) -> Identity | None:
    certificate, key = user.pem("client-certificate"), user.pem("client-key")
    if certificate and not key:
        raise AccessError("its user has a client-certificate and no client-key")
    return Identity(certificate, key) if certificate else None


def _renewed(user: Entry) -> dict[str, str]:
    """Return the token as whoever renews it wrote it last, nothing if there is none but another one that is fixed."""
    try:
        return bearer(user.file("tokenFile"))
    except AccessError:
        if not user.text("token"):
            raise
        return {}


def _fixed(user: Entry) -> dict[str, str]:
    if token := user.text("token"):
        return bearer(token)
    name, password = user.text("username"), user.text("password")
    if name or password:
        return {"authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}
    return {}


def _provided(provider: Entry) -> dict[str, str]:
    """Return the token of OpenID Connect, as long as it is valid: renewing it would write to the kubeconfig."""
    name, config = provider.text("name"), Entry(provider.content.get("config") or {})
    if name != "oidc":
        successor = f"; let it use the exec plugin {_SUCCESSORS[name]}" if name in _SUCCESSORS else ""
        raise AccessError(f"its user has the auth-provider {name}, which Kubernetes no longer has{successor}")
    token = header_value(config.text("id-token"), "its id-token")
    if not token or _expiry(token) < time.time():
        raise AccessError(
            "its user's id-token of OpenID Connect has expired; run kubectl once, which renews it, or let it use an exec plugin"
        )
    return bearer(token)


def _expiry(token: str) -> float:
    try:
        claims = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(f"{claims}{'=' * (-len(claims) % 4)}"))["exp"])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise AccessError("its user's id-token is not a token of OpenID Connect") from error
