# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Docker and kind are given: their configuration files as plain data.

kind's format: https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mastodon_lab import versions
from mastodon_lab.cluster import config
from mastodon_lab.files import write_private
from mastodon_lab.lab import API_PORT, DOCKER, KIND, Lab

BRIDGE = "containers"
# kind uses a network of this name if there is one.
NETWORK = "kind"
IMAGE = f"docker.io/kindest/node:{versions.KUBERNETES}"
AUDIT = "/etc/kubernetes/audit"
AUDIT_LOG = "/var/log/lab"
# Ceph 20 takes no disk that udev has not described, and no udev runs in the node:
# https://github.com/rook/rook/blob/v1.20.6/tests/config/kind-config.yaml
UDEV = Path("/run/udev")

CONTAINERD = """\
[plugins."io.containerd.grpc.v1.cri"]
  # Kernels in sandboxes refuse negative values: https://github.com/containerd/containerd/issues/6184
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
"""


def cluster_name(lab: Lab) -> str:
    return f"mastodon-lab-{lab.name}"


def node_name(lab: Lab) -> str:
    """As kind names the container, the host in it and the Node."""
    return f"{cluster_name(lab)}-control-plane"


def cluster_file(lab: Lab) -> Path:
    return lab.etc / "kind/cluster.json"


def daemon_file(lab: Lab) -> Path:
    return lab.etc / "kind/dockerd.json"


def socket(lab: Lab) -> Path:
    return lab.run / "docker.sock"


def started_file(lab: Lab) -> Path:
    """When the node was started: there once it is whole, and as long as it runs."""
    return lab.run / "kind.json"


def node_since(lab: Lab) -> float | None:
    """When that was, in seconds since 1970."""
    try:
        return float(started_file(lab).read_text())
    except (OSError, ValueError):
        return None


def begun_file(lab: Lab) -> Path:
    """There once kind was asked for a cluster of this machine's Docker, so that one of somebody else's is left alone."""
    return data(lab) / "kind-was-asked"


def whole_file(lab: Lab) -> Path:
    """There once kind was done; without it, a cluster was left half made. It goes with what Docker has."""
    return data(lab) / "kind-was-done"


def data(lab: Lab) -> Path:
    """Where Docker keeps images and containers."""
    return lab.state / "docker"


def daemon(lab: Lab) -> dict[str, Any]:
    """dockerd's configuration: https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file."""
    return {
        "hosts": [f"unix://{socket(lab)}"],
        "data-root": str(data(lab)),
        "cgroup-parent": lab.cgroup,
        # The lab's namespace has a bridge and routes of its own, and there is nothing outside to be reached or kept out.
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "registry-mirrors": [lab.mirror_url],
        # Nobody listens there, so that names other than containers' are unknown at once.
        "dns": [lab.node_ip],
        "log-level": "warn",
    }


def cluster(lab: Lab) -> dict[str, Any]:
    """kind's configuration."""
    built = lab.way == KIND
    patches = (kubeadm(lab), kubelet(), kube_proxy())
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": cluster_name(lab),
        "networking": {
            "ipFamily": "ipv4",
            "podSubnet": lab.pod_cidr,
            "serviceSubnet": lab.service_cidr,
            "kubeProxyMode": "iptables",
            **(_sealed_network(lab) if built else {}),
        },
        "nodes": [{"role": "control-plane", "image": IMAGE if built else upstream_image(), "extraMounts": mounts(lab)}],
        "containerdConfigPatches": [CONTAINERD] if built else [],
        "kubeadmConfigPatches": [json.dumps(patch) for patch in patches],
    }


def upstream_image() -> str:
    """The node's image on the internet; whoever starts a lab may choose another one."""
    return os.environ.get("KIND_NODE_IMAGE") or versions.KIND_NODE


def _sealed_network(lab: Lab) -> dict[str, Any]:
    return {
        "apiServerAddress": lab.node_ip,
        "apiServerPort": API_PORT,
        # kind's own can't be built from what the lab is built from.
        "disableDefaultCNI": True,
    }


def mounts(lab: Lab) -> list[dict[str, Any]]:
    """What the node sees of the lab: its authority, in place of one of kubeadm's, what Ceph keeps beside its disk, and, where the lab has
    the node's image built, its network, its mirror and where volumes lie. Upstream's node sees what the machine knows of its disks.
    """
    built = {lab.etc / "cni": "/etc/cni/net.d", lab.etc / "registries": "/etc/containerd/certs.d"}
    given = {
        lab.pki / "ca.crt": "/etc/kubernetes/pki/ca.crt",
        lab.pki / "ca.key": "/etc/kubernetes/pki/ca.key",
        # Folders, as `lab/up` writes these files anew: of a file the node would keep the old one, without a name.
        lab.etc / "audit": AUDIT,
        **(built if lab.way == KIND else {}),
    }
    kept = {folder: str(folder) for folder in ((lab.volumes, lab.ceph) if lab.way == KIND else (lab.ceph,))}
    written = {lab.log: AUDIT_LOG, **kept}
    if lab.way == DOCKER:
        given[UDEV] = str(UDEV)
    return [
        *({"hostPath": str(path), "containerPath": where, "readOnly": True} for path, where in given.items()),
        *({"hostPath": str(path), "containerPath": where} for path, where in written.items()),
    ]


def kubeadm(lab: Lab) -> dict[str, Any]:
    """What else kubeadm is given. Lists replace those of kind: their entries say defaults."""
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        # The lab's is installed like all that is on it.
        "dns": {"disabled": True},
        "etcd": {"local": {"extraArgs": _arguments({"unsafe-no-fsync": "true"})}},
        "controllerManager": {"extraArgs": _arguments({"leader-elect": "false"})},
        "scheduler": {"extraArgs": _arguments({"leader-elect": "false"})},
        "apiServer": {
            "certSANs": ["localhost", "127.0.0.1", lab.node_ip],
            "extraArgs": _arguments(
                {
                    "audit-policy-file": f"{AUDIT}/policy.json",
                    "audit-log-path": f"{AUDIT_LOG}/audit.log",
                    **config.AUDIT_ROTATION,
                }
            ),
            "extraVolumes": [
                {"name": name, "hostPath": path, "mountPath": path, "readOnly": read_only, "pathType": "Directory"}
                for name, path, read_only in (("audit-policy", AUDIT, True), ("audit-log", AUDIT_LOG, False))
            ],
        },
    }


def kubelet() -> dict[str, Any]:
    return {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", **config.KUBELET}


def kube_proxy() -> dict[str, Any]:
    # Kernels in sandboxes refuse negative values.
    return {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "oomScoreAdj": 0}


def _arguments(named: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in named.items()]


def write(lab: Lab) -> None:
    """Write every configuration file; certificates must be there."""
    config.write_shared(lab)
    for file, content in ((daemon_file(lab), daemon(lab)), (cluster_file(lab), cluster(lab))):
        write_private(file, json.dumps(content, indent=1))
