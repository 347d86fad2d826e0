# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the components are given: their configuration files as plain data, nothing of it kept anywhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from mastodon_lab import ipv6
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

NODE = "lab"
SANDBOX_IMAGE = "docker.io/lab/pause:1"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    # Who changes what; reads, and the leases that each controller renews every other second, would be nine tenths of it.
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "None", "resources": [{"group": "coordination.k8s.io"}]},
        {"level": "Metadata"},
    ],
}

AUDIT_ROTATION = {"audit-log-maxsize": "100", "audit-log-maxbackup": "2"}

# Of every kubelet, however its node was made.
KUBELET = {
    # Kubernetes 1.35 refuses cgroup v1 unless told so: https://github.com/kubernetes/enhancements/issues/5573
    "failCgroupV1": False,
    "failSwapOn": False,
    # The kernel may lack project quotas, and cadvisor doesn't find this file system's device.
    "localStorageCapacityIsolation": False,
    # A Secret that changed reaches its pods at the next look; webhooks that wait for certificates wait for that.
    "syncFrequency": "5s",
    # A disk that others fill must not make the kubelet throw images away and pull them again and again.
    "imageGCHighThresholdPercent": 100,
    # One large image must not make all small ones wait.
    "serializeImagePulls": False,
    "evictionHard": {"memory.available": "100Mi"},
    # Kernels in sandboxes refuse negative values.
    "oomScoreAdj": 0,
}


def kubeconfig(lab: Lab, user: str) -> dict[str, Any]:
    """A kubeconfig for `user` (see pki.CLIENTS), certificates included, so that the file may be copied elsewhere."""

    def data(file: str) -> str:
        return base64.b64encode((lab.pki / file).read_bytes()).decode()

    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NODE, "cluster": {"server": lab.api_url, "certificate-authority-data": data("ca.crt")}}],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")},
            }
        ],
        "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": user}}],
        "current-context": NODE,
    }


def kubelet(lab: Lab) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(lab.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(lab.pki / "kubelet-serving.crt"),
        "tlsPrivateKeyFile": str(lab.pki / "kubelet-serving.key"),
        "containerRuntimeEndpoint": f"unix://{lab.containerd_socket}",
        "volumePluginDir": str(lab.state / "kubelet" / "volume-plugins"),
        "clusterDNS": [lab.dns_ip],
        "clusterDomain": "cluster.local",
        "resolvConf": str(lab.etc / "resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": lab.cgroup,
        **KUBELET,
    }


def kube_proxy(lab: Lab) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": ",".join(ipv6.pod_cidrs(lab)),
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": str(lab.etc / "kube-proxy.kubeconfig")},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # The connection table's size belongs to the host and can't be set from a namespace.
        "conntrack": {"maxPerCore": 0},
        "oomScoreAdj": 0,
    }


def pod_network(lab: Lab) -> dict[str, Any]:
    """Every pod is routed on its own, so that no bridge and no bridge netfilter is needed.

    Leases live on the namespace's own /run: when the lab starts anew, so does the counting.
    """
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni",
                    "ranges": [[{"subnet": one}] for one in ipv6.pod_cidrs(lab)],
                    "routes": [{"dst": "::/0" if ":" in one else "0.0.0.0/0"} for one in ipv6.pod_cidrs(lab)],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def containerd(lab: Lab, cni_plugins: Path) -> str:
    """containerd's TOML, version 2: understood by 1.6 and, after its own migration, by 2.x."""
    return f"""\
version = 2
root = "{lab.state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]

[grpc]
  address = "{lab.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{lab.state}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX_IMAGE}"
  # Kernels in sandboxes refuse negative values: https://github.com/containerd/containerd/issues/6184
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "{lab.etc}/registries"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{cni_plugins}"
  conf_dir = "{lab.etc}/cni"
"""


def registries(lab: Lab) -> str:
    """Where containerd pulls from, whatever registry an image's name begins with: the lab's mirror, and nowhere else.

    Format: https://github.com/containerd/containerd/blob/main/docs/hosts.md
    """
    return f"""\
server = "{lab.mirror_url}"

[host."{lab.mirror_url}"]
  capabilities = ["pull", "resolve"]
"""


def write(lab: Lab, cni_plugins: Path) -> None:
    """Write every configuration file of processes; certificates must be there. Files that hold keys are 0600."""
    write_shared(lab)
    texts = {
        "containerd.toml": containerd(lab, cni_plugins),
        "kubelet.json": json.dumps(kubelet(lab), indent=1),
        "kube-proxy.json": json.dumps(kube_proxy(lab), indent=1),
        # Pods ask the cluster's DNS or nobody: the host's own resolver isn't reachable from the lab.
        "resolv.conf": "",
    }
    for user in ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"):
        texts[f"{user}.kubeconfig"] = json.dumps(kubeconfig(lab, user), indent=1)
    for name, text in texts.items():
        write_private(lab.etc / name, text)


def write_shared(lab: Lab) -> None:
    """Write the files that every lab has, however its node is made."""
    texts = {
        "registries/_default/hosts.toml": registries(lab),
        "cni/pods.conflist": json.dumps(pod_network(lab), indent=1),
        "audit/policy.json": json.dumps(AUDIT_POLICY, indent=1),
        "shell/resolv.conf": f"nameserver {lab.dns_ip}\n",
    }
    for name, text in texts.items():
        write_private(lab.etc / name, text)
    write_private(lab.kubeconfig, json.dumps(kubeconfig(lab, "admin"), indent=1))
