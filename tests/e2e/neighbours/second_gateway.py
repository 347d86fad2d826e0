# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second Gateway in the cluster, as one that was there before: a controller of its own serves it, at an address of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ...conftest import Lab
from ..support import eventually
from ..zone import DOMAIN
from .breaking import set_field

NAME = "former"
FORMER = f"Gateway gateway-system/{NAME}"
TRAEFIK = ("deployment", "-n=traefik", "traefik")
# Both controllers have one name, and share classes by their labels:
# https://doc.traefik.io/traefik/reference/install-configuration/providers/kubernetes/kubernetes-gateway/
_LABELS = {"edge": NAME}
_SELECTOR = "--providers.kubernetesgateway.labelselector=edge"
_ADDRESS = "--providers.kubernetesgateway.statusaddress"


@contextmanager
def former(lab: Lab, chain: str, key: str) -> Iterator[str]:
    """Have one that shows a certificate for the domain, and return its address."""
    with ExitStack() as stack:
        template = lab.get(*TRAEFIK)["spec"]["template"]["spec"]
        args = template["containers"][0]["args"]
        _roll(stack, lab, [*args, f"{_SELECTOR}!={NAME}"])
        address = _applied(stack, lab, [_service()])[0]["spec"]["clusterIP"]
        own = [arg for arg in args if not arg.startswith(_ADDRESS)]
        own += [f"{_ADDRESS}.ip={address}", f"{_SELECTOR}={NAME}"]
        _applied(stack, lab, [_pod(template, own), *_gateway(chain, key)])
        lab.kubectl("wait", "pod", "-n=traefik", NAME, "--for=condition=Ready", "--timeout=60s")
        eventually(lambda: _addresses(lab), lambda found: found == [address], 60)
        yield str(address)


def _roll(stack: ExitStack, lab: Lab, args: list[str]) -> None:
    """Start the first controller with other options, and as before in the end."""
    waiting = (lab.kubectl, "rollout", "status", "-n=traefik", "deployment/traefik", "--timeout=120s")
    stack.callback(*waiting)
    set_field(stack, lab, TRAEFIK, "/spec/template/spec/containers/0/args", args)
    lab.kubectl(*waiting[1:])


def _addresses(lab: Lab) -> list[str]:
    status = lab.get("gateway", "-n=gateway-system", NAME).get("status", {})
    return [one["value"] for one in status.get("addresses", [])]


def _applied(stack: ExitStack, lab: Lab, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    stack.callback(lab.kubectl, "delete", "--filename=-", "--wait=false", "--grace-period=1", given=given)
    made = json.loads(lab.kubectl("apply", "--filename=-", "-o=json", given=given))
    return list(made.get("items", [made]))


def _service() -> dict[str, Any]:
    ports = [{"name": str(port), "port": port, "targetPort": port} for port in (80, 443)]
    return _made("v1", "Service", "traefik", spec={"selector": {"app": NAME}, "ports": ports})


def _pod(template: Mapping[str, Any], args: list[str]) -> dict[str, Any]:
    [container] = template["containers"]
    spec = {**template, "containers": [{**container, "args": args}], "terminationGracePeriodSeconds": 1}
    return _made("v1", "Pod", "traefik", {"app": NAME}, spec=spec)


def _gateway(chain: str, key: str) -> list[dict[str, Any]]:
    group, space = "gateway.networking.k8s.io/v1", "gateway-system"
    tls = {"mode": "Terminate", "certificateRefs": [{"name": NAME}]}
    listener = {"name": "websecure", "port": 443, "protocol": "HTTPS", "hostname": DOMAIN, "tls": tls}
    held = {"tls.crt": chain, "tls.key": key}
    return [
        _made(group, "GatewayClass", "", _LABELS, spec={"controllerName": "traefik.io/gateway-controller"}),
        _made("v1", "Secret", space, type="kubernetes.io/tls", stringData=held),
        _made(group, "Gateway", space, spec={"gatewayClassName": NAME, "listeners": [listener]}),
    ]


def _made(
    version: str, kind: str, space: str, labels: Mapping[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    metadata = {"name": NAME, "labels": dict(labels or {})} | ({"namespace": space} if space else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}
