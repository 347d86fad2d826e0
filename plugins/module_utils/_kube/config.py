# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a kubeconfig or a pod's service account to a connection pool. This module util is PRIVATE to the collection."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import Access, AccessError, Identity
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.kubeconfig import read_kubeconfig
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.service_account import read_service_account
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import urllib3

# Kept open: what the engine's threads and watches use at once. A connection too many makes urllib3 log a warning.
_CONNECTIONS = 64

KUBERNETES_OPTIONS: dict[str, Any] = {"kubeconfig": {"type": "path"}, "context": {"type": "str"}}


@dataclass(frozen=True)
class Connection:
    """A way to one API server. `headers` returns the current credentials, refreshed when they expire."""

    host: str
    pool: urllib3.PoolManager
    headers: Callable[[], dict[str, str]]


def connect(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Connection:
    """Open the cluster that the options `kubeconfig` and `context`, or else the environment, point at.

    Nothing is sent yet. Raises MastodonError when there is no configuration, or none that can be used.
    """
    needs("urllib3", "yaml")
    context = parameters.get("context") or environment.get("K8S_AUTH_CONTEXT") or None
    kubeconfig = _kubeconfig(parameters, environment)
    source = f"Kubeconfig {kubeconfig}" if kubeconfig else "Service account of this pod"
    files = _files(kubeconfig, source) if kubeconfig else []
    with _blaming(source):
        access = read_kubeconfig(files, context, environment) if files else read_service_account(environment)
    pool = _pool(access, source)

    def headers() -> dict[str, str]:
        with _blaming(source):
            return access.headers()

    headers()
    return Connection(access.server, pool, headers)


def _kubeconfig(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """Return the kubeconfig to read, or None inside of a pod that has none."""
    named = parameters.get("kubeconfig") or environment.get("K8S_AUTH_KUBECONFIG") or environment.get("KUBECONFIG")
    if named:
        return str(named)
    usual = Path(environment.get("HOME", "~")).expanduser() / ".kube/config"
    if usual.is_file():
        return str(usual)
    if "KUBERNETES_SERVICE_HOST" in environment:
        return None
    raise MastodonError(
        "Kubernetes",
        "no kubeconfig",
        "neither the option kubeconfig, K8S_AUTH_KUBECONFIG, KUBECONFIG nor ~/.kube/config names one",
        "Set kubeconfig to the file of your cluster.",
    )


def _files(kubeconfig: str, source: str) -> list[Path]:
    # KUBECONFIG may list several files, of which some may be absent.
    files = [Path(part).expanduser() for part in kubeconfig.split(":") if part]
    there = []
    for file in files:
        try:
            file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MastodonError(source, "cannot be read", error.strerror or "", "Check its owner and mode.") from error
        there.append(file)
    if not there:
        raise MastodonError(source, "does not exist", "", "Set kubeconfig to the file of your cluster.")
    return there


@contextmanager
def _blaming(source: str) -> Iterator[None]:
    """Turn what is wrong with a configuration into the sentence that names it."""
    remedy = "Check the file and the context."
    try:
        yield
    except AccessError as error:
        raise MastodonError(source, "cannot be used", str(error), remedy) from error
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise MastodonError(source, "cannot be used", "it is not laid out as a kubeconfig is", remedy) from error


def _pool(access: Access, source: str) -> urllib3.PoolManager:
    try:
        trust = _trust(access)
    except (OSError, ValueError) as error:
        raise MastodonError(source, "its certificates cannot be used", str(error), "Get a new kubeconfig.") from error
    options: dict[str, Any] = {"maxsize": _CONNECTIONS, "ssl_context": trust, "retries": False}
    if access.server_name:
        options["server_hostname"] = access.server_name
    proxy = access.proxy or _proxy_of_environment(access.server)
    if not proxy:
        return urllib3.PoolManager(**options)
    try:
        return urllib3.ProxyManager(proxy, **options)
    except ValueError as error:
        raise MastodonError(source, f"its proxy {proxy} cannot be used", "", "Name one with http or https.") from error


def _proxy_of_environment(server: str) -> str | None:
    proxy = getproxies().get(urlsplit(server).scheme)
    if not proxy:
        return None
    # It reads NO_PROXY as others do, address ranges included; few have a proxy, so that the rest need not load it.
    from requests.utils import should_bypass_proxies

    return None if should_bypass_proxies(server, None) else proxy


def _trust(access: Access) -> ssl.SSLContext:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not access.verify:
        # The user asked for it in the kubeconfig, so each request need not warn again.
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
