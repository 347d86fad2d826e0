# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies, enforced: every flow of docs/network.md tried by a connection between the pods that site.yml installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from ...conftest import Lab
from .. import flows
from ..attempts import CONNECT, settled
from ..flows import FLOWS, LAB_PORTS
from ..support import CONTAINER_SECURITY, POD_SECURITY, eventually
from .support import apply

# Each holds a process of kubectl and a shell.
SOURCES_AT_ONCE = 4
BESIDE = "smoke-beside"
# Who connects, to what, and at which port.
Try = tuple[str, str, int]
WORKLOADS: Mapping[str, tuple[str, str]] = {
    flows.GATEWAY: ("traefik", "deployment/traefik"),
    flows.WEB: ("mastodon", "deployment/mastodon-web"),
    flows.STREAMING: ("mastodon", "deployment/mastodon-streaming"),
    flows.SIDEKIQ: ("mastodon", "deployment/mastodon-sidekiq-all-queues"),
    flows.DATABASE: ("mastodon", "pod/mastodon-db-1"),
    flows.CACHE: ("mastodon", "statefulset/mastodon-redis"),
    flows.POSTGRES_OPERATOR: ("cnpg-system", "deployment/cnpg-controller-manager"),
    flows.CACHE_OPERATOR: ("dragonfly-operator-system", "deployment/dragonfly-operator"),
    flows.SECRETS: ("external-secrets", "deployment/external-secrets"),
    flows.FLUX: ("flux-system", "deployment/helm-controller"),
    flows.ISSUER: ("cert-manager", "deployment/cert-manager"),
    flows.RECORDS: ("external-dns", "deployment/external-dns-mastodon"),
    flows.ROOK_OPERATOR: ("rook-ceph", "deployment/rook-ceph-operator"),
    flows.BESIDE: ("mastodon", f"pod/{BESIDE}"),
    flows.NEIGHBOUR: ("cache", "statefulset/redis"),
}
PODS: Mapping[str, tuple[str, str]] = {
    flows.WEB: ("mastodon", "app.kubernetes.io/component=web"),
    flows.STREAMING: ("mastodon", "app.kubernetes.io/component=streaming"),
    flows.SIDEKIQ: ("mastodon", "app.kubernetes.io/component=sidekiq-all-queues"),
    flows.DATABASE: ("mastodon", "cnpg.io/cluster=mastodon-db"),
    flows.CACHE: ("mastodon", "app=mastodon-redis"),
    flows.WEBHOOK: ("cnpg-system", "app.kubernetes.io/name=cloudnative-pg"),
    flows.FLUX: ("flux-system", "app=helm-controller"),
    flows.NEIGHBOUR: ("cache", "app=redis"),
}
# By name, so that names are asked for, too.
SERVICES: Mapping[str, str] = {
    flows.STORE: "rook-ceph-rgw-media.rook-ceph.svc.cluster.local",
    flows.MAIL: "mailpit.mail.svc.cluster.local",
    flows.OTHERS: "traefik.traefik.svc.cluster.local",
    flows.DNS: "kube-dns.kube-system.svc.cluster.local",
    flows.API: "kubernetes.default.svc.cluster.local",
    flows.ACME: "pebble.acme.svc.cluster.local",
    flows.ZONE: "knot.dns.svc.cluster.local",
    flows.VAULT: "openbao.openbao.svc.cluster.local",
    flows.SOURCES: "source-controller.flux-system.svc.cluster.local",
}


class Network:
    """The lab's pods, from each of which a connection can be tried."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._addresses = {**SERVICES, **{name: self._pod(*PODS[name]) for name in PODS}}

    def passing(self, wanted: Mapping[Try, bool]) -> dict[Try, bool]:
        """Tell of each source, target and port whether a connection gets through, where it should not at the first attempt."""
        return settled(self._all_tried, wanted)

    def _all_tried(self, wanted: Collection[Try]) -> dict[Try, bool]:
        sources = sorted({source for source, _, _ in wanted})
        with ThreadPoolExecutor(SOURCES_AT_ONCE) as pool:
            answers = pool.map(lambda name: self._tried(name, [one for one in wanted if one[0] == name]), sources)
            return {flow: found for answer in answers for flow, found in answer.items()}

    def _tried(self, source: str, wanted: list[Try]) -> dict[Try, bool]:
        addresses = {flow: self._address(flow[1], flow[2]) for flow in wanted}
        command = [*self._inside(source), "sh", "-c", CONNECT, "connect", *addresses.values()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        ended = {address: outcome for address, _, outcome in (line.partition(" ") for line in done.stdout.splitlines())}
        # Who refuses was reached.
        through = {address for address, outcome in ended.items() if outcome.strip() == "0" or "refused" in outcome}
        assert ended.keys() == set(addresses.values()), done.stdout + done.stderr
        return {flow: address in through for flow, address in addresses.items()}

    def _address(self, target: str, port: int) -> str:
        return f"{self._addresses[target]}:{LAB_PORTS.get(target, port)}"

    def _inside(self, source: str) -> list[str]:
        """Return how a command runs where the source is."""
        if source == flows.OUTSIDE:
            return []
        if source == flows.API:
            init = json.loads((self._lab.state / "run/init.json").read_text())
            return ["nsenter", f"--target={init['pid']}", "--net"]
        namespace, workload = WORKLOADS[source]
        facts = self._lab.facts
        return [facts["kubectl"], f"--kubeconfig={facts['kubeconfig']}", "exec", f"-n={namespace}", workload, "--"]

    def _pod(self, namespace: str, selector: str) -> str:
        running = ("get", "pods", f"-n={namespace}", f"-l={selector}", "--field-selector=status.phase=Running")
        return self._lab.kubectl(*running, "-o=jsonpath={.items[0].status.podIP}")


@pytest.fixture(scope="module")
def network(installed: Lab) -> Iterator[Network]:
    """The lab's network, with a pod of somebody's beside Mastodon's."""
    container = {
        "name": "busybox",
        "image": "docker.io/library/busybox:latest",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "3600"],
        "securityContext": CONTAINER_SECURITY,
    }
    spec = {"containers": [container], "securityContext": POD_SECURITY, "terminationGracePeriodSeconds": 0}
    metadata = {"name": BESIDE, "namespace": "mastodon"}
    apply(installed, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    installed.kubectl("wait", "pod", BESIDE, "-n=mastodon", "--for=condition=Ready", "--timeout=120s")
    yield Network(installed)
    installed.kubectl("delete", "pod", BESIDE, "-n=mastodon", "--wait=false")


@pytest.fixture
def nothing_in_or_out(installed: Lab, network: Network) -> Iterator[None]:
    """Mastodon's namespace, with the two policies of docs/network.md."""
    policies = [yaml.safe_load(flows.NOTHING_IN_OR_OUT), yaml.safe_load(flows.WHAT_GOES_OUT)]
    mail = [entry for rule in policies[1]["spec"]["egress"] for entry in rule.get("ports", []) if entry["port"] == 587]
    mail[0]["port"] = LAB_PORTS[flows.MAIL]
    apply(installed, *policies)
    try:
        elsewhere = (flows.WEB, flows.NEIGHBOUR, 6379)
        eventually(lambda: network.passing({elsewhere: False})[elsewhere], lambda passes: not passes, 30)
        yield
    finally:
        names = [policy["metadata"]["name"] for policy in policies]
        installed.kubectl("delete", "networkpolicy", "-n=mastodon", *names)


def all_flows() -> dict[Try, bool]:
    return {(source, flow.target, flow.port): flow.passes for flow in FLOWS for source in flow.sources}


def test_connections_get_through_as_the_page_says(network: Network) -> None:
    assert network.passing(all_flows()) == all_flows()


@pytest.mark.usefixtures("nothing_in_or_out")
def test_the_same_gets_through_where_nothing_else_may_come_in_or_go_out(network: Network) -> None:
    assert network.passing(all_flows()) == all_flows()
