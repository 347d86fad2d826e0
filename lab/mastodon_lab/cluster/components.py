# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of the cluster: what each is called with and what must answer before it starts."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mastodon_lab import ipv6
from mastodon_lab.cluster import config
from mastodon_lab.cluster.config import NODE
from mastodon_lab.files import write_private
from mastodon_lab.lab import API_PORT, MIRROR_PORT, Lab

ETCD = "127.0.0.1:2379"


@dataclass(frozen=True)
class Component:
    """A process that init keeps running.

    `needs` are addresses ("127.0.0.1:2379" or a socket's path) that must accept connections before it is started.
    `digest` stands for its command line and what program and configuration contain: another one means a restart.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    digest: str = ""


def all_components(lab: Lab, binary: Callable[[str], Path]) -> tuple[Component, ...]:
    """Every component of a node that is processes; `binary` finds what was built, or else the distribution's."""
    api = f"{lab.node_ip}:{API_PORT}"
    plan = (
        Component("etcd", (str(binary("etcd")), *_etcd(lab))),
        Component("kube-apiserver", (str(binary("kube-apiserver")), *_apiserver(lab)), (ETCD,)),
        Component("kube-controller-manager", (str(binary("kube-controller-manager")), *_controllers(lab)), (api,)),
        Component("kube-scheduler", (str(binary("kube-scheduler")), *_scheduler(lab)), (api,)),
        Component("containerd", (str(binary("containerd")), "--config", str(lab.etc / "containerd.toml"))),
        Component("kubelet", (str(binary("kubelet")), *_kubelet(lab)), (api, str(lab.containerd_socket))),
        Component("kube-proxy", (str(binary("kube-proxy")), f"--config={lab.etc}/kube-proxy.json"), (api,)),
        mirror(lab),
    )
    return digested(*plan)


def mirror(lab: Lab) -> Component:
    """What serves images, charts and manifests."""
    words = (str(lab.mirror), lab.node_ip, str(MIRROR_PORT))
    return Component("mirror", (sys.executable, "-B", "-m", "mastodon_lab.cluster.mirror", *words))


def digested(*plan: Component) -> tuple[Component, ...]:
    """These components, with their digests."""
    return tuple(_with_digest(component) for component in plan)


def save(lab: Lab, components: Iterable[Component]) -> None:
    write_private(lab.components, json.dumps([asdict(component) for component in components], indent=1))


def load(lab: Lab) -> tuple[Component, ...]:
    return tuple(
        Component(item["name"], tuple(item["argv"]), tuple(item["needs"]), item["digest"])
        for item in json.loads(lab.components.read_text())
    )


def _etcd(lab: Lab) -> tuple[str, ...]:
    peer = "http://127.0.0.1:2380"
    return (
        f"--name={NODE}",
        f"--data-dir={lab.state}/etcd",
        f"--listen-client-urls=http://{ETCD}",
        f"--advertise-client-urls=http://{ETCD}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={NODE}={peer}",
        # A lab may lose its last second when the machine dies; in exchange slow disks don't slow it down.
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def _apiserver(lab: Lab) -> tuple[str, ...]:
    pki = lab.pki
    return (
        f"--etcd-servers=http://{ETCD}",
        f"--advertise-address={lab.node_ip}",
        f"--secure-port={API_PORT}",
        f"--service-cluster-ip-range={','.join(ipv6.service_cidrs(lab))}",
        f"--tls-cert-file={pki}/kube-apiserver.crt",
        f"--tls-private-key-file={pki}/kube-apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        # Nobody resolves the node's name.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged",
        f"--audit-policy-file={lab.etc}/audit/policy.json",
        f"--audit-log-path={lab.log}/audit.log",
        *(f"--{name}={value}" for name, value in config.AUDIT_ROTATION.items()),
    )


def _controllers(lab: Lab) -> tuple[str, ...]:
    return (
        f"--kubeconfig={lab.etc}/kube-controller-manager.kubeconfig",
        f"--root-ca-file={lab.pki}/ca.crt",
        f"--cluster-signing-cert-file={lab.pki}/ca.crt",
        f"--cluster-signing-key-file={lab.pki}/ca.key",
        f"--service-account-private-key-file={lab.pki}/service-account.key",
        # Its default is a folder below /usr, which it would make there.
        f"--flex-volume-plugin-dir={lab.state}/kubelet/volume-plugins",
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    )


def _scheduler(lab: Lab) -> tuple[str, ...]:
    return (f"--kubeconfig={lab.etc}/kube-scheduler.kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1")


def _kubelet(lab: Lab) -> tuple[str, ...]:
    return (
        f"--config={lab.etc}/kubelet.json",
        f"--kubeconfig={lab.etc}/kubelet.kubeconfig",
        f"--root-dir={lab.state}/kubelet",
        f"--hostname-override={NODE}",
        f"--node-ip={lab.node_ip}",
    )


def _with_digest(component: Component) -> Component:
    """Digest the command and the files in it: the program by size and time, as it is large, the others by content."""
    digest = hashlib.sha256()
    program = Path(component.argv[0]).stat()
    digest.update(f"{component.argv} {program.st_size} {program.st_mtime_ns}".encode())
    for word in component.argv[1:]:
        file = Path(word.partition("=")[2] or word)
        if file.is_absolute() and file.suffix in _CONFIGURATION and file.is_file():
            digest.update(file.read_bytes())
    return Component(component.name, component.argv, component.needs, digest.hexdigest())


_CONFIGURATION = {".json", ".toml", ".kubeconfig", ".crt", ".key", ".pub"}
