# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Gateway serves Mastodon's hosts: one of the user's own that is used as it is, or one that is to be made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api, read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.managers import is_ours
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

Item = Mapping[str, Any]
Labels = Mapping[str, str]

OPTIONS: Mapping[str, Any] = {
    "name": {"type": "str", "required": True},
    "namespace": {"type": "str", "required": True},
    "made": {"type": "bool", "required": True},
    "gateway_class": {"type": "str", "default": ""},
    "issuer": {"type": "str", "default": ""},
    "hostnames": {"type": "list", "elements": "str", "required": True},
    "listener": {"type": "str", "default": ""},
    "route_namespaces": {"type": "list", "elements": "str", "required": True},
}


@dataclass(frozen=True)
class Kind:
    """What others make and the Gateway needs, and the setting that names it."""

    group: str
    name: str
    setting: str


_CLASS = Kind("gateway.networking.k8s.io", "GatewayClass", "gateway_class")
_ISSUER = Kind("cert-manager.io", "ClusterIssuer", "cert_manager_issuer_name")


@dataclass(frozen=True)
class Needed:
    """What Mastodon needs of the Gateway `namespace/name`.

    `listener` serves all `hostnames`; when empty, each has one called like it. `namespaces` are those of the routes, with
    their labels.
    """

    namespace: str
    name: str
    hostnames: tuple[str, ...]
    listener: str
    namespaces: Mapping[str, Labels]

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"Gateway {self.namespace}/{self.name}"


def examine(wanted: Item, objects: Api, catalog: Catalog) -> list[str]:
    """Read the Gateway that an option with OPTIONS names and return one sentence for each thing that is wrong."""
    resource = catalog.find("gateway.networking.k8s.io", "v1", "Gateway")
    found = read_served(objects, resource, wanted["namespace"], wanted["name"])
    needed = Needed(
        wanted["namespace"],
        wanted["name"],
        tuple(wanted["hostnames"]),
        wanted["listener"],
        namespace_labels(wanted["route_namespaces"], objects, catalog),
    )
    gateway = found[0] if found else None
    if not wanted["made"]:
        return unfit(gateway, needed)
    return not_ours(gateway, needed) or [
        *(
            _unusable(_CLASS, wanted["gateway_class"], objects, catalog)
            or moved(gateway, needed, wanted["gateway_class"])
        ),
        *_unusable(_ISSUER, wanted["issuer"], objects, catalog),
    ]


def moved(gateway: Item | None, needed: Needed, name: str) -> list[str]:
    """Return one sentence when the Gateway would change its class: whoever serves it now would stop, for all that is on it."""
    serves = at(gateway, "spec.gatewayClassName", "")
    if not (serves and name) or serves == name:
        return []
    return [
        f"{needed}: is of GatewayClass {serves}, whose controller would stop serving all that is on it once it is of {name}. "
        f"Set gateway_class to {serves}, or gateway_name to a new name to have one of {name} beside it."
    ]


def _unusable(kind: Kind, name: str, objects: Api, catalog: Catalog) -> list[str]:
    """Return one sentence when the Gateway would wait for an object of others in vain: it is not there, or not ready."""
    resource = catalog.preferred(kind.group, kind.name)
    if resource is None or not name:
        return []
    try:
        found = {item["metadata"]["name"]: item for item in objects.read(Selection(resource)).objects}
    except ApiError as error:
        if not error.is_forbidden:
            raise
        # Who may apply a Gateway need not see these; its own status says so.
        return []
    if name not in found:
        has = f"there are: {', '.join(sorted(found))}" if found else "there is none"
        return [f"{kind.name} {name}: does not exist: {has}. Correct {kind.setting}, or install it first."]
    status = compute(found[name])
    if status.verdict == "Current":
        return []
    controller = at(found[name], "spec.controllerName", "")
    return [
        f"{kind.name} {name}: is not ready: {status}. Check whether its controller{controller and f' {controller}'} runs."
    ]


def namespace_labels(names: Iterable[str], objects: Api, catalog: Catalog) -> dict[str, Labels]:
    """Return the labels of namespaces. One that does not exist yet will have its name for a label, as all have."""
    resource = catalog.find("", "v1", "Namespace")
    found: dict[str, Labels] = {}
    for name in names:
        live = read_served(objects, resource, name=name)
        found[name] = {"kubernetes.io/metadata.name": name, **(live[0]["metadata"].get("labels") or {} if live else {})}
    return found


def not_ours(gateway: Item | None, needed: Needed) -> list[str]:
    """Return one sentence when the Gateway to be made exists and somebody else made it: it is not added to unasked."""
    if gateway is None or is_ours(gateway):
        return []
    return [
        f"{needed}: exists, and others created it. Set gateway_install to false to use it as it is, "
        "or gateway_name to a name of your own."
    ]


def unfit(gateway: Item | None, needed: Needed) -> list[str]:
    """Return one sentence for each reason why the Gateway cannot be used as it is."""
    if gateway is None:
        return [
            f"{needed}: does not exist. Correct gateway_name and gateway_namespace, or set gateway_install to true."
        ]
    status = compute(gateway)
    if status.verdict != "Current":
        return [f"{needed}: is not ready: {status}. Have its owner put that right."]
    listeners = {item["name"]: item for item in gateway["spec"]["listeners"]}
    return [problem for host in needed.hostnames for problem in _unserved(host, listeners, needed)]


def _unserved(host: str, listeners: Mapping[str, Item], needed: Needed) -> Iterator[str]:
    name = needed.listener or host
    listener = listeners.get(name)
    if listener is None:
        fit = [other for other, item in listeners.items() if item["protocol"] == "HTTPS" and serves(item, host)]
        remedy = f"Set gateway_https_listener to {fit[0]}." if fit else f"Have its owner add one that serves {host}."
        yield f"{needed}: has no listener {name} for {host}, only {', '.join(listeners)}. {remedy}"
    elif listener["protocol"] != "HTTPS" or not serves(listener, host):
        served = f"{listener['protocol']} for {listener.get('hostname') or 'all hosts'}"
        yield f"{needed}: listener {name} serves {served}, not HTTPS for {host}. Set gateway_https_listener to one that does."
    else:
        for namespace, labels in needed.namespaces.items():
            if not allows(listener, needed.namespace, namespace, labels):
                yield (
                    f"{needed}: listener {name} accepts no routes from namespace {namespace}. "
                    "Have its owner allow that namespace in allowedRoutes, or label the namespace as that asks for."
                )


def serves(listener: Item, host: str) -> bool:
    """Whether a listener is for this host. A wildcard stands for one label or more:
    https://gateway-api.sigs.k8s.io/reference/spec/#hostname"""
    hostname = listener.get("hostname", "")
    return hostname in ("", host) or (hostname.startswith("*.") and host.endswith(hostname[1:]))


def allows(listener: Item, own: str, namespace: str, labels: Labels) -> bool:
    """Whether a listener of a Gateway in namespace `own` takes routes from a namespace with these labels."""
    allowed = listener.get("allowedRoutes") or {}
    kinds = {kind["kind"] for kind in allowed.get("kinds") or []}
    if kinds and "HTTPRoute" not in kinds:
        return False
    namespaces = allowed.get("namespaces") or {}
    match namespaces.get("from", "Same"):
        case "All":
            return True
        case "Same":
            return namespace == own
        case "Selector":
            return selects(namespaces.get("selector") or {}, labels)
    return False


def selects(selector: Item, labels: Labels) -> bool:
    """Whether a label selector is for these labels."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _matches(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def _matches(expression: Item, labels: Labels) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    found = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return found.get(expression["operator"], False)
