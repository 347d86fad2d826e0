# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the platform: what runs each, what it needs once it runs, and what proves that it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection

from mastodon_lab import ipv6, versions
from mastodon_lab.cluster import api
from mastodon_lab.lab import IPV6, Lab
from mastodon_lab.parts import acme, certificates, dns, mail, nameserver, openbao, policies, redis, s3, website
from mastodon_lab.parts.keys import Keys

CONNECT_SECONDS = 5.0
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

    @property
    def key(self) -> str:
        """What commands call it: its workload's name."""
        return self.workload.rpartition("/")[2]


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


def _set_up_gateway(lab: Lab, _: Keys) -> None:
    """Say of the Gateway's Service where it is, as a load balancer would, which the Gateway then says of itself."""
    if lab.has(IPV6):
        service = "/api/v1/namespaces/traefik/services/traefik"
        told = {"loadBalancer": {"ingress": [{"ip": address} for address in ipv6.gateways(lab)]}}
        api.merge(lab, service, {"spec": {"type": "LoadBalancer"}})
        api.merge(lab, f"{service}/status", {"status": told})


def _prove_gateway(lab: Lab, _: Keys) -> None:
    found = api.get_json(lab, "/apis/gateway.networking.k8s.io/v1/gatewayclasses/traefik")
    accepted = [item["status"] for item in found.get("status", {}).get("conditions", ()) if item["type"] == "Accepted"]
    if accepted != ["True"]:
        raise OSError("its GatewayClass is not accepted")
    for address in ipv6.gateways(lab):
        connection = HTTPConnection(address, 80, timeout=CONNECT_SECONDS)
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


def _prove_acme(lab: Lab, _: Keys) -> None:
    acme.prove(lab.acme_ip, certificates.trust(lab))


def _set_up_acme(lab: Lab, _: Keys) -> None:
    acme.note_root(lab, lab.acme_ip, certificates.trust(lab))


def _prove_mail(lab: Lab, made: Keys) -> None:
    mail.prove(lab.mail_ip, made.smtp_username, made.smtp_password, certificates.trust(lab))


def _prove_policies(lab: Lab, _: Keys) -> None:
    found = api.get_json(lab, "/api/v1/namespaces/local-path-storage/pods?labelSelector=app%3Dlocal-path-provisioner")
    pod = next((pod["status"] for pod in found["items"] if pod["status"]["phase"] == "Running"), None)
    if pod is None:
        raise OSError("there is no pod that NetworkPolicies could be tried on")
    policies.prove(pod["podIP"], pod["hostIP"])


PARTS = (
    Part("CoreDNS", versions.COREDNS, "kube-system/deployment/coredns", _prove_dns),
    Part("OpenBao", versions.OPENBAO, "openbao/statefulset/openbao", _prove_openbao, openbao.set_up),
    Part("name server (Knot)", versions.KNOT, "dns/statefulset/knot", nameserver.prove, nameserver.set_up),
    Part("Traefik", versions.TRAEFIK, "traefik/deployment/traefik", _prove_gateway, _set_up_gateway),
    Part("S3 server (VersityGW)", versions.VERSITY, "object-store/statefulset/s3", _prove_s3, _set_up_s3),
    Part("Redis", versions.REDIS_MAJOR, "cache/statefulset/redis", _prove_redis),
    Part("ACME server (Pebble)", versions.PEBBLE, "acme/deployment/pebble", _prove_acme, _set_up_acme),
    Part(f"web site {website.HOST}", versions.TRAEFIK, "website/deployment/website", website.prove),
    Part("mail server (Mailpit)", versions.MAILPIT, "mail/statefulset/mailpit", _prove_mail),
    Part(
        "local-path-provisioner",
        versions.LOCAL_PATH,
        "local-path-storage/deployment/local-path-provisioner",
        _prove_volumes,
    ),
    Part(
        "kube-network-policies",
        versions.NETWORK_POLICIES,
        "kube-system/deployment/kube-network-policies",
        _prove_policies,
    ),
)
