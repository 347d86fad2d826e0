# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind cluster is made of: a Debian with Docker, kind's node image, and the control plane's images.

The node image is made as kind's own are: https://github.com/kubernetes-sigs/kind/blob/main/images/base/Dockerfile
It has no images in it, which kind loads for machines without network: its containerd pulls them from the lab's mirror.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build import rootfs
from mastodon_lab.build.image import Entries, File, Link, Run, System
from mastodon_lab.build.images import SEARCH_PATH, Image
from mastodon_lab.build.store import Store, files_below

MODULE = "sigs.k8s.io/kind"
NODE_IMAGE = f"docker.io/kindest/node:{versions.KUBERNETES}"
PAUSE_IMAGE = f"registry.k8s.io/pause:{versions.KIND_PAUSE}"
ETCD_IMAGE = f"registry.k8s.io/etcd:{versions.KUBEADM_ETCD}"

# Of the next release: this one's is three years older. Its client is a package that the server only recommends.
DOCKER_PACKAGES = ("ca-certificates", "docker.io", "docker-cli", "iproute2", "iptables", "kmod", "procps")
# Of this release: systemd 257 in the next one refuses cgroup version 1. What kind itself compiles comes from Debian, too.
NODE_PACKAGES = (
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "dbus",
    "e2fsprogs",
    "ethtool",
    "iproute2",
    "iptables",
    "jq",
    "kmod",
    "mount",
    "nftables",
    "procps",
    "runc",
    "systemd",
    "systemd-sysv",
    "util-linux",
)
DOCKERD = "usr/sbin/dockerd"
_UNITS = "lib/systemd/system"
# As in kind's Dockerfile. What Debian has in sysctl.d, other than kind, is the whole machine's.
NODE_HOOKS = (
    f'cd "$1" && rm -f {_UNITS}/sysinit.target.wants/systemd-tmpfiles-setup.service {_UNITS}/multi-user.target.wants/* '
    f"etc/systemd/system/*.wants/* {_UNITS}/local-fs.target.wants/* {_UNITS}/sockets.target.wants/*udev* "
    f"{_UNITS}/sockets.target.wants/*initctl* {_UNITS}/basic.target.wants/* usr/lib/sysctl.d/* etc/sysctl.d/*",
    'echo ReadKMsg=no >> "$1/etc/systemd/journald.conf"',
    'mkdir -p "$1/etc/kubernetes/manifests"',
    """chroot "$1" ctr oci spec | chroot "$1" jq '.hooks.createContainer = [{"path": "/kind/bin/mount-product-files.sh"}] """
    """| del(.process.rlimits)' > "$1/etc/containerd/cri-base.json\"""",
)
# In place of the kind's StorageClass, which its images have. The lab installs its own.
NO_STORAGE = b"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: local-path-storage\n"
# The kubelet and systemd write these, which are the whole machine's, if they find other values. They are shown files.
SPARE = b"""\
#!/bin/bash
set -o errexit
while read -r name value; do
  shown=/kind/kernel/$name
  mkdir -p "${shown%/*}"
  echo "$value" > "$shown"
  mount --bind "$shown" "/proc/sys/$name"
done < /kind/kernel-values
exec "$@"
"""
KERNEL_VALUES = b"""\
fs/file-max 9223372036854775807
kernel/keys/root_maxbytes 25000000
kernel/keys/root_maxkeys 1000000
kernel/panic 10
kernel/panic_on_oops 1
vm/overcommit_memory 1
vm/panic_on_oom 0
"""


def docker_root(store: Store, log: Path) -> Path:
    """The folder of a Debian with Docker."""
    return rootfs.debian(store, "docker", DOCKER_PACKAGES, (), log, versions.NEXT_DEBIAN, rootfs.ROOT)


def node_layer(store: Store, log: Path) -> Path:
    """A layer with the Debian that nodes are."""
    return rootfs.debian(store, "kind-node", NODE_PACKAGES, NODE_HOOKS, log)


def images(base: Path, debian: Path, program: Mapping[str, Path], module: Path) -> tuple[Image, ...]:
    """The node's image, and those that kubeadm has the node run; `module` is kind's, published."""
    return (
        node_image(debian, program, module),
        Image("kind-pause", (PAUSE_IMAGE,), (base,), Run(("/bin/sleep", "2147483647"), user="65534:65534")),
        _control_plane(base, program["etcd"], ETCD_IMAGE),
        *(
            _control_plane(base, program[name], f"registry.k8s.io/{name}:{versions.KUBERNETES}")
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
        ),
        # It calls iptables and conntrack.
        _control_plane(debian, program["kube-proxy"], f"registry.k8s.io/kube-proxy:{versions.KUBERNETES}"),
    )


def node_image(debian: Path, program: Mapping[str, Path], module: Path) -> Image:
    """Kind's node image of that Debian."""
    run = System(
        ("/usr/local/bin/spare-the-machine", "/usr/local/bin/entrypoint", "/sbin/init"),
        environment={"PATH": SEARCH_PATH, "container": "docker"},
    )
    entries = {**_kind_files(module / "images/base/files"), **_links(), **_ours(program)}
    return Image("kind-node", (NODE_IMAGE,), (debian,), run, entries)


def _kind_files(folder: Path) -> Entries:
    programs = (folder / "usr/local/bin", folder / "kind/bin")
    return {
        str(path.relative_to(folder)): File(path, 0o755 if path.parent in programs else 0o644)
        for path in files_below(folder)
    }


def _links() -> Entries:
    """Where kind's files look for what is elsewhere in Debian, and the services that kind enables."""
    units = "etc/systemd/system"
    enabled = ("containerd", "kubelet", "undo-mount-hacks")
    return {
        "opt/cni/bin": Link("/usr/lib/cni"),
        "usr/local/bin/containerd": Link("/usr/bin/containerd"),
        # It would register formats with the whole machine's kernel.
        f"{units}/systemd-binfmt.service": Link("/dev/null"),
        **{f"{units}/multi-user.target.wants/{name}.service": Link(f"/{units}/{name}.service") for name in enabled},
    }


def _ours(program: Mapping[str, Path]) -> Entries:
    return {
        **{f"usr/bin/{name}": File(program[name], 0o755) for name in ("kubeadm", "kubectl", "kubelet")},
        "kind/version": File(versions.KUBERNETES.encode()),
        "kind/manifests/default-storage.yaml": File(NO_STORAGE),
        "kind/kernel-values": File(KERNEL_VALUES),
        "usr/local/bin/spare-the-machine": File(SPARE, 0o755),
    }


def _control_plane(base: Path, program: Path, reference: str) -> Image:
    """An image that is run by its program's name."""
    return Image(
        f"kind-{program.name}",
        (reference,),
        (base,),
        Run((program.name,), environment={"PATH": SEARCH_PATH}),
        {f"usr/local/bin/{program.name}": File(program, 0o755)},
    )
