# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task and its environment say about the cluster.

The variables are those of kubernetes.core, whose users have set them. Each is honoured or refused by name: one that is passed
over means another cluster, or other rights, than those asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import config, objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.given import Given
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import Limit
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run

# Those beginning with kubernetes_ would otherwise be called like options of Vault, databases or accounts.
KUBERNETES_OPTIONS: dict[str, Any] = {
    "kubeconfig": {"type": "raw"},
    "context": {"type": "str"},
    "kubernetes_host": {"type": "str"},
    "kubernetes_api_key": {"type": "str", "no_log": True},
    "kubernetes_username": {"type": "str"},
    "kubernetes_password": {"type": "str", "no_log": True},
    "kubernetes_client_cert": {"type": "path"},
    # Where the key is, not the key.
    "kubernetes_client_key": {"type": "path", "no_log": False},
    "kubernetes_ca_cert": {"type": "path"},
    "kubernetes_validate_certs": {"type": "bool", "aliases": ["kubernetes_verify_ssl"]},
    "kubernetes_tls_server_name": {"type": "str"},
    "kubernetes_proxy": {"type": "str"},
    "kubernetes_no_proxy": {"type": "str"},
    "kubernetes_proxy_headers": {
        "type": "dict",
        "options": {
            "user_agent": {"type": "str"},
            "basic_auth": {"type": "str", "no_log": True},
            "proxy_basic_auth": {"type": "str", "no_log": True},
        },
    },
    "kubernetes_impersonate_user": {"type": "str"},
    "kubernetes_impersonate_groups": {"type": "list", "elements": "str"},
}

_FAMILY = "K8S_AUTH_"
# Where a variable is not called like its option. kubernetes.core knows most by two names.
_ALSO = {
    "SSL_CA_CERT": "kubernetes_ca_cert",
    "VERIFY_SSL": "kubernetes_validate_certs",
    "CERT_FILE": "kubernetes_client_cert",
    "KEY_FILE": "kubernetes_client_key",
    "KUBECONFIG": "kubeconfig",
    "CONTEXT": "context",
}
_HEADERS = "kubernetes_proxy_headers"
# Of its connection plugin, about pods and not about clusters.
_OF_PODS = frozenset({"NAMESPACE", "POD", "CONTAINER"})
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_REMEDY = "Unset it."


def connect(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Connection:
    """Open the cluster that the options, or else the environment, point at. Nothing is sent yet. Raises MastodonError."""
    return config.connect(given(parameters, environment), environment)


def cluster(parameters: Mapping[str, Any], run: Run, limit: Limit | None = None) -> Objects:
    """Return the objects of the cluster that the options point at. `limit` is how long the task may take, if it waits."""
    return objects.open_objects(connect(parameters, run.environment), limit, run.say)


def given(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Given:
    """Return what options, and for what they leave out the environment, say. Raises MastodonError."""
    values: dict[str, Any] = {}
    variables: dict[str, str] = {}
    for name, (variable, value) in _of_environment(environment):
        values.setdefault(name, value)
        variables.setdefault(name, variable)
    for name in KUBERNETES_OPTIONS:
        if parameters.get(name) not in (None, ""):
            values[name] = parameters[name]
            variables.pop(name, None)
    return Given(values, variables)


def _of_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, Any]]]:
    headers: dict[str, str] = {}
    for variable in sorted(environment):
        name, text = variable.removeprefix(_FAMILY), environment[variable]
        if name == variable or not text or name in _OF_PODS:
            continue
        if name.startswith("PROXY_HEADERS_") and name.removeprefix("PROXY_HEADERS_").lower() in _header_names():
            headers[name.removeprefix("PROXY_HEADERS_").lower()] = text
        elif name == "PERSIST_CONFIG":
            _refuse_writing(variable, text)
        else:
            option = _ALSO.get(name, f"kubernetes_{name.lower()}")
            yield option, (variable, _converted(option, variable, text))
    if headers:
        yield _HEADERS, (f"{_FAMILY}PROXY_HEADERS", headers)


def _header_names() -> Mapping[str, Any]:
    names: Mapping[str, Any] = KUBERNETES_OPTIONS[_HEADERS]["options"]
    return names


def _refuse_writing(variable: str, text: str) -> None:
    if _flag(variable, text):
        raise MastodonError(f"Variable {variable}", "cannot be honoured", "no kubeconfig is ever written", _REMEDY)


def _converted(option: str, variable: str, text: str) -> Any:
    if option not in KUBERNETES_OPTIONS or option == _HEADERS:
        raise MastodonError(
            f"Variable {variable}", "is not known", "", f"{_REMEDY[:-1]}, or use one of the documented ones."
        )
    match KUBERNETES_OPTIONS[option]["type"]:
        case "bool":
            return _flag(variable, text)
        case "list":
            return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _flag(variable: str, text: str) -> bool:
    if text.lower() not in _WORDS:
        raise MastodonError(f"Variable {variable}", f"{text!r} is neither true nor false", "", "Write true or false.")
    return _WORDS[text.lower()]
