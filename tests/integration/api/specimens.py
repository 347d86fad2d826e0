# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object at random of each kind, with what comparing and applying is known to stumble over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object

GROUP = "pairs.mastodon"
QUANTITIES = ("100m", "0.1", "1", "1000m", "1Gi", "1024Mi", "1e3", "1.5G", "0")
PORTS = (80, "web", 8080)


class Make(Protocol):
    """What draws: pairs.Maker."""

    def text(self) -> str:
        """Return any text that there is."""

    def maybe(self, **fields: Any) -> dict[str, Any]:
        """Return some of these fields."""

    def some(self, *items: Any) -> list[Any]:
        """Return some of these items, in any order."""

    def one(self, *items: Any) -> Any:
        """Return one of these."""


def _config_map(make: Make) -> Object:
    data = make.maybe(a="1", b="", c="x\ny\n", d=make.text(), e=make.text())
    return make.maybe(data=data, binaryData=make.maybe(z="AAEC"), immutable=False)


def _secret(make: Make) -> Object:
    return make.maybe(
        data=make.maybe(a="MQ==", b="", z="AA=="), stringData=make.maybe(b="x", c=make.text()), type="Opaque"
    )


def _container(make: Make, name: str) -> Object:
    ports = make.some(
        {"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}, {"containerPort": 82, "name": "web"}
    )
    env = [{"name": one, "value": make.text()} for one in make.some("A", "B", "C")]
    probe = {
        "httpGet": {"port": make.one(*PORTS), **make.maybe(path="/", scheme="HTTP")},
        **make.maybe(periodSeconds=5),
    }
    amounts = {
        kind: make.maybe(cpu=make.one(*QUANTITIES), memory=make.one("64Mi", "4Gi")) for kind in ("requests", "limits")
    }
    fields = make.maybe(
        ports=ports,
        env=env,
        args=["--a", "--b"],
        **({"livenessProbe": probe} if name in ("main", "side", "log") else {}),
        resources=make.maybe(limits=amounts["limits"]),
        securityContext=make.maybe(runAsNonRoot=True, capabilities={"drop": ["ALL"]}, privileged=False, runAsUser=0),
        volumeMounts=[{"name": "tmp", "mountPath": path} for path in make.some("/a", "/b", "/c")],
        stdin=False,
    )
    return {"name": name, "image": "example.test/a:1", **fields}


def _pod(make: Make) -> Object:
    volumes = [
        {"name": name, "emptyDir": make.maybe(sizeLimit=make.one(*QUANTITIES))} for name in ("tmp", *make.some("x"))
    ]
    optional = make.maybe(
        initContainers=[_container(make, name) for name in make.some("wait", "migrate", "warm")],
        tolerations=[{"operator": "Exists"}, {"key": "a", "operator": "Equal", "value": ""}],
        imagePullSecrets=[{"name": name} for name in make.some("a", "b", "c")],
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"}
            for key in make.some("zone", "host")
        ],
        hostAliases=[{"ip": ip, "hostnames": ["a"]} for ip in make.some("10.0.0.1", "10.0.0.2")],
        nodeSelector=make.maybe(a="1", b=""),
        hostNetwork=False,
        terminationGracePeriodSeconds=make.one(0, 30),
    )
    return {
        "containers": [_container(make, name) for name in ("main", *make.some("side", "log"))],
        "volumes": volumes,
        **optional,
    }


def ordered_pod(make: Make) -> Object:
    """Return the template of a pod that is stored as it is declared, with several items in each list that has an order."""
    env = [{"name": name, "value": make.one("1", "2")} for name in ("A", "B", "C")]
    image = "example.test/a:1"
    containers = [{"name": name, "image": image, "env": env} for name in ("main", "side")]
    first = [{"name": name, "image": image} for name in ("wait", "migrate", "warm")]
    volumes = [{"name": name, "emptyDir": {}} for name in ("tmp", "x")]
    return {"template": {"spec": {"containers": containers, "initContainers": first, "volumes": volumes}}}


def _pod_template(make: Make) -> Object:
    return {"template": {**make.maybe(metadata={"labels": make.maybe(a="1", b="")}), "spec": _pod(make)}}


def _cron_job(make: Make) -> Object:
    pod = {**_pod(make), "restartPolicy": make.one("Never", "OnFailure")}
    job = {"template": {"spec": pod}, **make.maybe(backoffLimit=0, ttlSecondsAfterFinished=5, parallelism=1)}
    optional = make.maybe(concurrencyPolicy="Forbid", successfulJobsHistoryLimit=0, timeZone="Etc/UTC")
    return {"spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": job}, **optional}}


def _service(make: Make) -> Object:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}, {"name": "c", "port": 81}]
    chosen = [{**port, **make.maybe(targetPort=make.one(*PORTS))} for port in make.some(*ports) or ports]
    optional = make.maybe(selector=make.maybe(app="x", b=""), type="ClusterIP", sessionAffinity="None")
    return {"spec": {"clusterIP": "None", "ports": chosen, **optional}}


def _network_policy(make: Make) -> Object:
    rule = make.maybe(ports=[{"port": 80, "protocol": "TCP"}, {"port": "web"}], **{"from": [{"podSelector": {}}]})
    return {
        "spec": {
            "podSelector": make.maybe(matchLabels={"app": "x"}),
            **make.maybe(ingress=[rule], egress=[], policyTypes=["Ingress"]),
        }
    }


def _budget(make: Make) -> Object:
    return {
        "spec": {
            make.one("minAvailable", "maxUnavailable"): make.one(0, 1, "50%"),
            "selector": {"matchLabels": {"app": "x"}},
        }
    }


def _limits(make: Make) -> Object:
    limit = make.maybe(max={"cpu": make.one("2", "2000m")}, default={"cpu": make.one("1", "1000m", "0.5")})
    return {"spec": {"limits": [{"type": "Container", **limit}]}}


def _role(make: Make) -> Object:
    rules = [{"apiGroups": [""], "resources": make.some("pods", "secrets") or ["pods"], "verbs": ["get", "list"]}]
    return make.one({"rules": rules}, {"rules": []}, {})


def _account(make: Make) -> Object:
    names = [{"name": name} for name in make.some("a", "b", "c")]
    return make.maybe(secrets=names, imagePullSecrets=names[::-1], automountServiceAccountToken=False)


def _custom(make: Make) -> Object:
    keyed = [{"name": name, **make.maybe(value=make.text(), enabled=True)} for name in make.some("a", "b", "c")]
    ports = [{"port": 80}, {"port": 80, "protocol": "UDP"}, {"port": 81, "weight": 0}]
    spec = make.maybe(
        keyed=keyed,
        ports=make.some(*ports),
        set=make.some("a", "b", "c", ""),
        numbers=make.some(1, 2, 3),
        atomic=make.some("x", "y", "z"),
        whole=make.maybe(a="1", b=make.text()),
        either=make.one(1, "1", "50%"),
        ratio=make.one(0, 0.5, 1.0, 1e3, -2.25, 1e21),
        large=make.one(2**53 + 1, -(2**63), 2**63 - 1),
        absent=make.one(None, "x"),
        withDefault=make.one("given", "default"),
        nested=make.maybe(flag=False, deeper={"more": {}}),
        free=make.one({"a": [1, 2.5, True, None, {"b": make.text()}], "e": {}}, {"n": None}, [], "text"),
    )
    return {"spec": spec, **make.maybe(status=make.maybe(phase="x"))}


KINDS: dict[str, tuple[str, Callable[[Make], Object]]] = {
    "ConfigMap": ("v1", _config_map),
    "Secret": ("v1", _secret),
    "PodTemplate": ("v1", _pod_template),
    "CronJob": ("batch/v1", _cron_job),
    "Service": ("v1", _service),
    "NetworkPolicy": ("networking.k8s.io/v1", _network_policy),
    "PodDisruptionBudget": ("policy/v1", _budget),
    "LimitRange": ("v1", _limits),
    "Role": ("rbac.authorization.k8s.io/v1", _role),
    "ServiceAccount": ("v1", _account),
    "Pair": (f"{GROUP}/v1", _custom),
    "Stated": (f"{GROUP}/v1", _custom),
}
