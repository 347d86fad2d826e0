# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with Docker and the internet, as far as this one can be one: namespaces that nothing leads out of, in which a Docker runs and the
lab's mirror answers under upstream's names over TLS (upstream.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mastodon_lab import up
from mastodon_lab.build import mirror, plan
from mastodon_lab.build.image import File
from mastodon_lab.build.kind_node import NODE_IMAGE
from mastodon_lab.build.plan import Built
from mastodon_lab.cluster import cgroups, components, config, disk, network, process
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.kind import config as kind
from mastodon_lab.lab import KIND, Lab
from mastodon_lab.parts import certificates, platform
from mastodon_lab.progress import Progress
from mastodon_lab.versions import DRAGONFLY_OPERATOR, FLUX_OPERATOR, SOURCE_CONTROLLER

from ...conftest import ROOT
from ..support import eventually
from .packages import Images
from .upstream import DOCKER_HUB

CACHE = Path(os.environ.get("LAB_CACHE", "/var/cache/fediverse-mastodon-lab"))
# Which folder of the mirror's charts is which repository.
CHARTS = {
    "https://charts.external-secrets.io": "external-secrets",
    "https://charts.jetstack.io": "jetstack",
    "https://charts.rook.io/release": "rook",
    "https://cloudnative-pg.github.io/charts": "cloudnative-pg",
    "https://kubernetes-sigs.github.io/external-dns": "external-dns",
    "https://mastodon.github.io/helm-charts": "mastodon",
}
DRAGONFLY_CHART = "ghcr.io/dragonflydb/dragonfly-operator/helm/dragonfly-operator"
FLUX_MANIFEST = f"https://github.com/controlplaneio-fluxcd/flux-operator/releases/download/{FLUX_OPERATOR}/install.yaml"
SOURCES_IMAGE = f"ghcr.io/fluxcd/source-controller:{SOURCE_CONTROLLER}"
# One is that of the older External Secrets.
REGISTRIES = (DOCKER_HUB, "docker.dragonflydb.io", "ghcr.io", "oci.external-secrets.io", "quay.io", "registry.k8s.io")
TRUSTED = "etc/ssl/certs/ca-certificates.crt"
# kind asks its node for one, and this node has its network from the start.
NO_NETWORK = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: no-network, namespace: kube-system}\n"
VOLUMES = "/var/local-path-provisioner"


@dataclass(frozen=True)
class Machine:
    """It; `there` is the lab that is started on it, with another index, as both have addresses in it."""

    lab: Lab
    there: Lab
    bin: Path

    def run(self, *command: str, timeout: float, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout there, as somebody would who has that machine; what it prints is in its `stdout`."""
        init = process.find(self.lab)
        assert init is not None
        words = ("nsenter", f"--target={init.pid}", "--net", "--mount", "--pid", "--uts", f"--wdns={ROOT}", *command)
        return subprocess.run(
            words,
            env={**os.environ, **self._environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
        )

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{kind.socket(self.lab)}",
            "SSL_CERT_FILE": str(certificates.authority_file(self.lab)),
            "LAB_STATE": str(self.there.state),
            # What it remembers of scenarios that ran elsewhere is nothing of this machine's.
            "MOLECULE_EPHEMERAL_DIRECTORY": str(self.lab.state / "molecule"),
            "LAB_INDEX": str(self.there.index),
            "NO_COLOR": "1",
        }

    def asked(self) -> set[tuple[str, str, int]]:
        """Return what was asked of the internet: host, path and status of the answer."""
        lines = (self.lab.mirror / "asked").read_text().splitlines()
        return {(host, path, status) for host, path, status in map(json.loads, lines)}


@contextmanager
def machine(name: str, index: int) -> Iterator[Machine]:
    """Such a machine, which leaves nothing behind."""
    state = Path(os.environ.get("LAB_ROOT", "/var/lib/fediverse-mastodon-lab")) / name
    lab = Lab(name, index, state, CACHE, way=KIND)
    there = Lab("there", (index + 1) % 50, state / "there", CACHE)
    _end(lab, there)
    built = plan.ensure(lab, Progress(lab.cache / "durations.json"))
    try:
        _publish(lab, there, built)
        yield _start(lab, there, built)
    finally:
        _end(lab, there)


def _end(lab: Lab, there: Lab) -> None:
    if init := process.find(lab):
        process.stop(init)
        network.disconnect(lab)
    _detach(there)
    cgroups.remove(lab)
    shutil.rmtree(lab.state, ignore_errors=True)


def _detach(there: Lab) -> None:
    """Take back the disk of a lab that was not ended; it was made where its file had another path."""
    if Path("/sys/block", there.disk.name, "loop").is_dir():
        subprocess.run(("losetup", "--detach", str(there.disk)), check=True)
    disk.detach(there)


def _start(lab: Lab, there: Lab, built: Built) -> Machine:
    daemon = {name: value for name, value in kind.daemon(lab).items() if name != "registry-mirrors"}
    kind.daemon_file(lab).write_text(json.dumps(daemon))
    debian = built.programs["dockerd"].parents[2]
    python, trust = (sys.executable, "-B"), f"SSL_CERT_FILE={certificates.authority_file(lab)}"
    root = (*python, "-m", "mastodon_lab.cluster.kind.root", str(debian), str(lab.state), str(lab.cache))
    sites = (str(Path(__file__).with_name("upstream.py")), str(lab.mirror), lab.node_ip, str(lab.pki))
    dockerd = Component("dockerd", (*root, "env", trust, "dockerd", f"--config-file={kind.daemon_file(lab)}"))
    components.save(lab, components.digested(Component("internet", (*python, *sites)), dockerd))
    cgroups.make(lab)
    init = process.start(lab)
    network.connect(lab, init.pid)
    resolver = lab.etc / "machine-resolv.conf"
    resolver.write_text(f"nameserver {lab.node_ip}\n")
    bind = ("mount", "--no-mtab", "--bind", str(resolver), "/etc/resolv.conf")
    subprocess.run(("nsenter", f"--target={init.pid}", "--mount", *bind), check=True)
    made = Machine(lab, there, _docker(lab, debian))
    eventually(lambda: made.run("docker", "version", timeout=60), lambda done: done.returncode == 0, 60)
    return made


def _docker(lab: Lab, debian: Path) -> Path:
    """Return a folder with Docker's client, which is another Debian's program."""
    script = lab.state / "bin/docker"
    script.parent.mkdir()
    libraries = f"{debian}/lib/x86_64-linux-gnu:{debian}/usr/lib/x86_64-linux-gnu"
    loader = f"{debian}/usr/lib64/ld-linux-x86-64.so.2"
    script.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {debian}/usr/bin/docker "$@"\n')
    script.chmod(0o755)
    return script.parent


def _publish(lab: Lab, there: Lab, built: Built) -> None:
    """Lay out all that is served, with certificates, and images that trust them as they trust those of the internet."""
    up.write_state(lab)
    mirror.publish(built.mirror, built.images, lab.mirror)
    sites = lab.mirror / "sites"
    served = {repository: f"charts/{folder}" for repository, folder in CHARTS.items()}
    for address, path in {**served, FLUX_MANIFEST: "manifests/flux-operator.yaml"}.items():
        place = sites / f"{urlsplit(address).hostname}{urlsplit(address).path}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(lab.mirror / path)
    for registry in REGISTRIES:
        (sites / registry).mkdir(exist_ok=True)
    certificates.ensure(lab, {site.name: (site.name, lab.node_ip) for site in sites.iterdir()})
    _add_images(Images(lab.mirror / mirror.IMAGES), lab, there)


def _add_images(images: Images, lab: Lab, there: Lab) -> None:
    trusted = {TRUSTED: File(certificates.authority_file(lab).read_bytes())}
    images.add(SOURCES_IMAGE, SOURCES_IMAGE, trusted)
    pods = config.pod_network(there)
    pods["plugins"][0]["ipMasq"] = True
    containerd = "etc/containerd/config.toml"
    # Kernels in sandboxes refuse negative values, other than machines that have Docker.
    adjusted = images.text(NODE_IMAGE, containerd).replace(
        "restrict_oom_score_adj = false", "restrict_oom_score_adj = true"
    )
    node = {
        containerd: File(adjusted.encode()),
        "etc/cni/net.d/10-pods.conflist": File(json.dumps(pods).encode()),
        "kind/manifests/default-cni.yaml": File(NO_NETWORK),
        "kind/manifests/default-storage.yaml": File(_volumes().encode()),
    }
    images.add(NODE_IMAGE, NODE_IMAGE, {**trusted, **node})
    (package,) = (lab.mirror / "charts/dragonfly").glob("*.tgz")
    about = {"name": "dragonfly-operator", "version": DRAGONFLY_OPERATOR, "apiVersion": "v2"}
    images.add_chart(f"{DRAGONFLY_CHART}:{DRAGONFLY_OPERATOR}", package, about)


def _volumes() -> str:
    """Return what kind's node brings of volumes: the same provisioner, as the lab has it."""
    text = (platform.MANIFESTS / "local-path-provisioner.yaml").read_text()
    for name, value in {**platform.IMAGES, "VOLUMES": VOLUMES, "MANIFEST": "kind"}.items():
        text = text.replace(f"@{name}@", value)
    return text
