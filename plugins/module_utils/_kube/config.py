# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options, a kubeconfig or a pod's service account to a connection pool."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import overrides, sockets, sources
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import Access, Identity
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.credentials import access_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.given import Given
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.proxy import is_excepted, proxy_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.sources import Source, blaming
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watch_pools

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import urllib3

# Kept open: what the engine's threads and watches use at once. A connection too many makes urllib3 log a warning.
_CONNECTIONS = 64


@dataclass(frozen=True)
class Connection:
    """A way to one API server. `headers` returns the current credentials, refreshed when they expire."""

    host: str
    pool: urllib3.PoolManager
    headers: Callable[[], Mapping[str, str]]


def connect(options: Given, environment: Mapping[str, str]) -> Connection:
    """Open the cluster that the options, or else the environment, point at.

    Nothing is sent yet. Raises MastodonError when there is no configuration, or none that can be used.
    """
    needs("urllib3", "yaml")
    source = sources.find(options, environment)
    _refuse_other_cluster(source, options)
    with blaming(source.called):
        cluster, user = overrides.of_cluster(source.cluster, options), overrides.of_user(source.user, options)
        access = access_of(cluster, user, environment)
    pool = _pool(access, source.called, options, environment)
    watch_pools(pool)

    def headers() -> Mapping[str, str]:
        with blaming(source.called):
            return access.headers()

    headers()
    return Connection(access.server, pool, headers)


def _refuse_other_cluster(source: Source, options: Given) -> None:
    """Refuse a server that the shell happens to name, where the task names a kubeconfig."""
    host = options.text("kubernetes_host")
    if not host or not options.is_of_task("kubeconfig") or options.is_of_task("kubernetes_host"):
        return
    server = str(source.cluster.content.get("server", ""))
    if server.rstrip("/") != host.rstrip("/"):
        why = f"it names {host}, and the option kubeconfig names {server}"
        raise MastodonError(options.called("kubernetes_host"), "contradicts the task", why, "Unset one of the two.")


def _pool(access: Access, called: str, options: Given, environment: Mapping[str, str]) -> urllib3.PoolManager:
    try:
        trust = _trust(access)
    except (OSError, ValueError) as error:
        raise MastodonError(called, "its certificates cannot be used", str(error), "Get a new kubeconfig.") from error
    pool: dict[str, Any] = {"maxsize": _CONNECTIONS, "ssl_context": trust, "retries": False}
    pool["socket_options"] = sockets.options()
    if access.server_name:
        pool["server_hostname"] = access.server_name
    proxy = _proxy(access, options, environment)
    if not proxy:
        return urllib3.PoolManager(**pool)
    try:
        return urllib3.ProxyManager(proxy, proxy_headers=_proxy_headers(proxy, options), **pool)
    except (ValueError, urllib3.exceptions.HTTPError) as error:
        shown = proxy.rpartition("@")[2]
        raise MastodonError(called, f"its proxy {shown} cannot be used", "", "Name one with http or https.") from error


def _proxy(access: Access, options: Given, environment: Mapping[str, str]) -> str:
    exceptions = options.text("kubernetes_no_proxy")
    if proxy := options.text("kubernetes_proxy"):
        return "" if is_excepted(access.server, exceptions) else proxy
    return access.proxy or proxy_of(access.server, environment, exceptions)


def _proxy_headers(proxy: str, options: Given) -> dict[str, str]:
    asked = {name: text for name, text in (options.values.get("kubernetes_proxy_headers") or {}).items() if text}
    name, colon, password = urlsplit(proxy).netloc.rpartition("@")[0].partition(":")
    if name or colon:
        asked.setdefault("proxy_basic_auth", f"{unquote(name)}:{unquote(password)}")
    headers: dict[str, str] = urllib3.make_headers(**asked)
    return headers


def _trust(access: Access) -> ssl.SSLContext:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not access.verify:
        # The user asked for it, so each request need not warn again.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    elif access.authority:
        trust.load_verify_locations(cadata=access.authority)
    else:
        trust.load_default_certs()
    if access.identity:
        _identify(trust, access.identity)
    return trust


def _identify(trust: ssl.SSLContext, identity: Identity) -> None:
    # OpenSSL takes it from a file only: one that nobody else may read, and gone by the next line.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{identity.certificate}\n{identity.key}\n")
        file.flush()
        trust.load_cert_chain(file.name)
