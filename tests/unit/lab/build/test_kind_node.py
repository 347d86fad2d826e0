# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from mastodon_lab import versions
from mastodon_lab.build import images, kind_node
from mastodon_lab.build.image import Entries, File, Link, System
from mastodon_lab.build.images import Image
from mastodon_lab.build.store import Store
from mastodon_lab.cluster.namespaces import KERNEL_VALUES


class Programs(defaultdict[str, Path]):
    def __missing__(self, name: str) -> Path:
        return Path(f"/cache/artefacts/some-1/{name}")


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Image]:
    """All images, with a small module of kind's."""
    base = tmp_path / "images/base/files"
    for name in ("usr/local/bin/entrypoint", "kind/bin/undo-mount-hacks.sh", "etc/containerd/config.toml"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(name)
    built = kind_node.images(Path("/busybox.tar"), Path("/debian.tar"), Programs(), tmp_path)
    return {image.name: image for image in built}


def text(entries: Entries, name: str) -> str:
    entry = entries[name]
    assert isinstance(entry, File)
    return (entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()).decode()


def test_the_node_is_kind_s_base_with_kubernetes(made: dict[str, Image]) -> None:
    entries = made["kind-node"].entries
    modes = {name: entry.mode for name, entry in entries.items() if isinstance(entry, File)}
    assert text(entries, "usr/local/bin/entrypoint") == "usr/local/bin/entrypoint"
    assert (modes["usr/local/bin/entrypoint"], modes["kind/bin/undo-mount-hacks.sh"]) == (0o755, 0o755)
    assert modes["etc/containerd/config.toml"] == 0o644
    assert text(entries, "kind/version") == versions.KUBERNETES
    assert entries["usr/bin/kubelet"] == File(Programs()["kubelet"], 0o755)
    assert entries["etc/systemd/system/multi-user.target.wants/kubelet.service"] == Link(
        "/etc/systemd/system/kubelet.service"
    )


def test_the_node_ends_when_its_systemd_is_asked_to(made: dict[str, Image], tmp_path: Path) -> None:
    (tmp_path / "debian.tar").write_bytes(b"")
    run = made["kind-node"].run
    assert isinstance(run, System)
    assert run.entrypoint[-2:] == ("/usr/local/bin/entrypoint", "/sbin/init")
    image = Image("node", (kind_node.NODE_IMAGE,), (tmp_path / "debian.tar",), run)
    blobs = images.layout(Store(tmp_path / "store"), image) / "blobs/sha256"
    configs = [json.loads(blob.read_bytes())["config"] for blob in blobs.iterdir() if b'"rootfs"' in blob.read_bytes()]
    assert [config["StopSignal"] for config in configs] == ["SIGRTMIN+3"]


def test_the_node_is_shown_what_it_would_change_of_the_machine(made: dict[str, Image]) -> None:
    shown = dict(line.split() for line in text(made["kind-node"].entries, "kind/kernel-values").splitlines())
    assert {name: shown[name] for name in KERNEL_VALUES} == KERNEL_VALUES


def test_the_control_plane_has_the_names_that_kubeadm_asks_for(made: dict[str, Image]) -> None:
    references = {reference for image in made.values() for reference in image.references}
    assert references == {
        f"docker.io/kindest/node:{versions.KUBERNETES}",
        f"registry.k8s.io/pause:{versions.KIND_PAUSE}",
        f"registry.k8s.io/etcd:{versions.KUBEADM_ETCD}",
        *(
            f"registry.k8s.io/kube-{name}:{versions.KUBERNETES}"
            for name in ("apiserver", "controller-manager", "scheduler", "proxy")
        ),
    }
    assert versions.KUBEADM_ETCD.startswith(versions.ETCD.removeprefix("v"))
