# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a kubeconfig or a pod's service account to a connection pool.

The `kubernetes` package reads the configuration, runs exec plugins and refreshes tokens. This module util is PRIVATE to
the collection.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    import yaml
    from kubernetes.client import Configuration
    from kubernetes.client.rest import should_bypass_proxies
    from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
    from kubernetes.config import kube_config as _kube_config

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
    needs("kubernetes")
    configuration = Configuration()
    context = parameters.get("context") or environment.get("K8S_AUTH_CONTEXT") or None
    try:
        source = _load(configuration, _kubeconfig(parameters, environment), context, environment)
        pool = _pool(configuration, source)
    finally:
        # An Ansible worker ends without running exit handlers, so the files with the client's key would stay behind.
        _kube_config._cleanup_temp_files()
    return Connection(configuration.host, pool, lambda: _credentials(configuration))


def _kubeconfig(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    named = parameters.get("kubeconfig") or environment.get("K8S_AUTH_KUBECONFIG") or environment.get("KUBECONFIG")
    if named:
        return str(named)
    usual = Path(environment.get("HOME", "~")).expanduser() / ".kube/config"
    return str(usual) if usual.is_file() else None


def _load(
    configuration: Configuration, kubeconfig: str | None, context: str | None, environment: Mapping[str, str]
) -> str:
    """Fill `configuration` and return where it came from, for error messages."""
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" not in environment:
        raise MastodonError(
            "Kubernetes",
            "no kubeconfig",
            "neither the option kubeconfig, K8S_AUTH_KUBECONFIG, KUBECONFIG nor ~/.kube/config names one",
            "Set kubeconfig to the file of your cluster.",
        )
    source = f"Kubeconfig {kubeconfig}" if kubeconfig else "Service account of this pod"
    if kubeconfig:
        _must_be_readable(kubeconfig, source)
    try:
        if kubeconfig:
            load_kube_config(config_file=kubeconfig, context=context, client_configuration=configuration)
        else:
            load_incluster_config(client_configuration=configuration)
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError) as error:
        raise MastodonError(source, "cannot be used", str(error), "Check the file and the context.") from error
    return source


def _must_be_readable(kubeconfig: str, source: str) -> None:
    # KUBECONFIG may list several files, of which some may be absent.
    files = [Path(part).expanduser() for part in kubeconfig.split(":") if part]
    for file in files:
        try:
            file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MastodonError(source, "cannot be read", error.strerror or "", "Check its owner and mode.") from error
    if not any(file.exists() for file in files):
        raise MastodonError(source, "does not exist", "", "Set kubeconfig to the file of your cluster.")


def _pool(configuration: Configuration, source: str) -> urllib3.PoolManager:
    try:
        trust = _trust(configuration)
    except (OSError, ValueError) as error:
        raise MastodonError(source, "its certificates cannot be used", str(error), "Get a new kubeconfig.") from error
    options: dict[str, Any] = {"maxsize": _CONNECTIONS, "ssl_context": trust, "retries": False}
    if configuration.tls_server_name:
        options["server_hostname"] = configuration.tls_server_name
    proxy = configuration.proxy
    if proxy and not should_bypass_proxies(configuration.host, configuration.no_proxy or ""):
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def _trust(configuration: Configuration) -> ssl.SSLContext:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not configuration.verify_ssl:
        # The user asked for it in the kubeconfig, so each request need not warn again.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    elif configuration.ssl_ca_cert:
        trust.load_verify_locations(cafile=configuration.ssl_ca_cert)
    else:
        trust.load_default_certs()
    if configuration.cert_file:
        trust.load_cert_chain(configuration.cert_file, configuration.key_file)
    return trust


def _credentials(configuration: Configuration) -> dict[str, str]:
    return {str(auth["key"]): str(auth["value"]) for auth in configuration.auth_settings().values() if auth["value"]}
