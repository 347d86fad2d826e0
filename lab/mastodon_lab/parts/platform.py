# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay down the platform, prove that each part of it works, and say how it is doing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build import images
from mastodon_lab.build.plan import Built
from mastodon_lab.build.store import key
from mastodon_lab.cluster import api
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import dns, openbao, redis, s3
from mastodon_lab.parts.keys import Keys, keys
from mastodon_lab.parts.kubectl import Kubectl
from mastodon_lab.progress import Progress
from mastodon_lab.status import PartStatus

MANIFESTS = Path(__file__).parents[2] / "manifests"
READY_SECONDS = 180.0
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.2
CONNECT_SECONDS = 5.0
APPLY = "lay down the platform"
TROUBLE = (LabError, OSError, HTTPException, api.NotAnsweringError)

S3_HOST = "s3.object-store.svc.cluster.local"
REDIS_HOST = "redis.cache.svc.cluster.local"


Act = Callable[[Lab, Keys], None]


def _nothing(lab: Lab, keys: Keys) -> None:
    pass


@dataclass(frozen=True)
class Part:
    """One part of the platform: what runs it, as `namespace/kind/name`, and what shows that it works.

    `prove` raises LabError or OSError while it doesn't. `set_up` does, once it runs, what its manifest can't say; it may
    be called again and again.
    """

    name: str
    version: str
    workload: str
    prove: Act
    set_up: Act = _nothing


def deploy(lab: Lab, built: Built, progress: Progress) -> None:
    """Lay down everything, or repair it. Raises LabError; what was done until then stays and is not done again."""
    progress.expect({APPLY: 5} | {_title(part): 5 for part in PARTS})
    kubectl = Kubectl(built.bin("kubectl"), lab.kubeconfig)
    made = keys(lab)
    with progress.step(APPLY):
        # The API server answers before it can describe its types, which kubectl asks for.
        _eventually("Gateway API", lambda: kubectl.apply_kustomization(built.gateway_api))
        _eventually("Platform", lambda: kubectl.apply("\n---\n".join(manifests(lab, made))))
    for part in PARTS:
        with progress.step(_title(part)):
            kubectl.wait(part.workload, READY_SECONDS)
            for act in (part.set_up, part.prove):
                _eventually(part.name, partial(act, lab, made))


def status(lab: Lab) -> tuple[PartStatus, ...]:
    """How each part is doing, and what in the lab is not the real thing. Needs a running cluster."""
    parts = tuple(PartStatus(part.name, not (reason := _trouble(part, lab)), part.version, reason) for part in PARTS)
    mastodon = PartStatus(
        "Mastodon (image, chart)",
        ready=True,
        version=versions.MASTODON,
        reason="for site.yml to lay down",
        stand_in=True,
    )
    return (*parts, mastodon)


def facts(lab: Lab) -> Mapping[str, str]:
    """What lab.json says of the platform: where Mastodon finds its object store and its cache."""
    return {"s3_endpoint": f"http://{S3_HOST}:{s3.PORT}", "redis_host": REDIS_HOST}


def manifests(lab: Lab, made: Keys) -> list[str]:
    """All manifests with the lab's addresses, images and keys filled in for @NAMES@."""
    values = {
        "DNS_IP": lab.dns_ip,
        "GATEWAY_IP": lab.gateway_ip,
        "OPENBAO_IP": lab.openbao_ip,
        "OPENBAO_URL": lab.openbao_url,
        "VOLUMES": str(lab.volumes),
        "BUSYBOX_IMAGE": images.BUSYBOX_IMAGE,
        "COREDNS_IMAGE": images.COREDNS_IMAGE,
        "LOCAL_PATH_IMAGE": images.LOCAL_PATH_IMAGE,
        "OPENBAO_IMAGE": images.OPENBAO_IMAGE,
        "REDIS_IMAGE": images.REDIS_IMAGE,
        "S3_IMAGE": images.S3_IMAGE,
        "TRAEFIK_IMAGE": images.TRAEFIK_IMAGE,
        "REDIS_PASSWORD": made.redis_password,
        "S3_ACCESS_KEY": made.s3_access_key,
        "S3_SECRET_KEY": made.s3_secret_key,
        "SEAL_KEY": made.seal_key,
    }
    return [_filled(file.read_text(), values) for file in sorted(MANIFESTS.glob("*.yaml"))]


def _filled(manifest: str, values: Mapping[str, str]) -> str:
    """@MANIFEST@ in a pod's annotation changes with the manifest, so that a changed configuration restarts the pod."""
    known = {**values, "MANIFEST": key(manifest)}
    return re.sub(r"@([A-Z0-9_]+)@", lambda name: known[name[1]], manifest)


def _title(part: Part) -> str:
    return f"wait for {part.name}"


def _eventually(name: str, act: Callable[[], None]) -> None:
    """Act, trying again for a while: a Service answers a moment after its pod is ready."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except TROUBLE as error:
            if time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                continue
            if isinstance(error, LabError):
                raise
            raise LabError(f"{name}: {error}. Check `lab/status`, then run lab/up again to go on.") from error


def _trouble(part: Part, lab: Lab) -> str:
    namespace, kind, name = part.workload.split("/")
    try:
        found = api.get_json(lab, f"/apis/apps/v1/namespaces/{namespace}/{kind}s/{name}")
        if found["status"].get("readyReplicas", 0) < found["spec"]["replicas"]:
            return f"{kind} {namespace}/{name} has no ready pod"
        part.prove(lab, keys(lab))
    except TROUBLE as error:
        return str(error)
    return ""


def _prove_dns(lab: Lab, _: Keys) -> None:
    if dns.address_of("kubernetes.default.svc.cluster.local", lab.dns_ip) != lab.kubernetes_ip:
        raise OSError("the cluster's DNS gives a wrong address for the API server")


def _prove_volumes(lab: Lab, _: Keys) -> None:
    """The platform's own claims show it; others may rightly wait for their first pod."""
    for part in PARTS:
        namespace = part.workload.split("/")[0]
        for claim in api.get_json(lab, f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")["items"]:
            if claim["status"]["phase"] != "Bound":
                raise OSError(f"claim {namespace}/{claim['metadata']['name']} has no volume")


def _prove_gateway(lab: Lab, _: Keys) -> None:
    found = api.get_json(lab, "/apis/gateway.networking.k8s.io/v1/gatewayclasses/traefik")
    accepted = [item["status"] for item in found.get("status", {}).get("conditions", ()) if item["type"] == "Accepted"]
    if accepted != ["True"]:
        raise OSError("its GatewayClass is not accepted")
    connection = HTTPConnection(lab.gateway_ip, 80, timeout=CONNECT_SECONDS)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def _prove_openbao(lab: Lab, _: Keys) -> None:
    if reason := openbao.trouble(lab):
        raise OSError(reason)


def _set_up_s3(lab: Lab, made: Keys) -> None:
    s3.set_up(dns.address_of(S3_HOST, lab.dns_ip), _account(made))


def _prove_s3(lab: Lab, made: Keys) -> None:
    s3.prove(dns.address_of(S3_HOST, lab.dns_ip), _account(made))


def _account(made: Keys) -> s3.Account:
    return s3.Account(made.s3_access_key, made.s3_secret_key)


def _prove_redis(lab: Lab, made: Keys) -> None:
    redis.prove(dns.address_of(REDIS_HOST, lab.dns_ip), made.redis_password)


PARTS = (
    Part("CoreDNS", versions.COREDNS, "kube-system/deployment/coredns", _prove_dns),
    Part("Traefik", versions.TRAEFIK, "traefik/deployment/traefik", _prove_gateway),
    Part("OpenBao", versions.OPENBAO, "openbao/statefulset/openbao", _prove_openbao, openbao.set_up),
    Part("S3 server (VersityGW)", versions.VERSITY, "object-store/statefulset/s3", _prove_s3, _set_up_s3),
    Part("Redis", versions.REDIS_MAJOR, "cache/statefulset/redis", _prove_redis),
    Part(
        "local-path-provisioner",
        versions.LOCAL_PATH,
        "local-path-storage/deployment/local-path-provisioner",
        _prove_volumes,
    ),
)
