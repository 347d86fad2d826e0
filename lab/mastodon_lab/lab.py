# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where one lab lives: its addresses, derived from its index, and its files, derived from its two folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

API_PORT = 6443
MIRROR_PORT = 8879
OPENBAO_PORT = 8200
# What every lab has, what stands for all that can be had, what site.yml installs: its images and charts, and beside them those
# of Rook and Ceph, with a disk.
BASE = frozenset({"cluster", "coredns", "kube-network-policies", "local-path-provisioner"})
ALL = "all"
SITE = "site"
# Ways to get a node: processes of this machine, kind in a Docker of the lab's own, or kind in this machine's Docker, where all comes
# from the internet.
MACHINE = "machine"
KIND = "kind"
DOCKER = "docker"
WAYS = (MACHINE, KIND, DOCKER)
CEPH = "ceph"
# What `all` does not stand for: IPv6 beside IPv4, and another web site with what it stands on.
IPV6 = "ipv6"
WEBSITE = "website"
BELOW_WEBSITE = frozenset({"traefik", "knot", "pebble"})
# The node of kind's authors has volumes and enforces NetworkPolicies itself.
LEFT_OUT = {
    MACHINE: frozenset[str](),
    KIND: frozenset({IPV6}),
    DOCKER: frozenset({IPV6, "kube-network-policies", "local-path-provisioner"}),
}
FIRST_DISK = 200  # of the machine's loop devices, whose first ones others take
MAX_INDEX = 55  # 10.(200+index).0.0/16 must stay within 10.255.0.0/16


@dataclass(frozen=True)
class Lab:
    """One lab, known by its name; labs with different indexes run side by side.

    Addresses are plain strings, as command lines and manifests want them. Files below `state` belong to this lab alone;
    `cache` holds what was built and is shared by all labs of the machine. `parts` are those beyond BASE, `way` is how it gets
    its node.
    """

    name: str
    index: int
    state: Path
    cache: Path
    parts: frozenset[str] = frozenset({ALL})
    way: str = MACHINE

    def has(self, *parts: str) -> bool:
        """Whether any of these parts belongs to the lab; what a way to get a node is made of does if the lab goes it."""
        own = BASE | self.parts | {self.way} | (BELOW_WEBSITE if WEBSITE in self.parts else set())
        wanted = {*parts} - LEFT_OUT[self.way]
        return not own.isdisjoint(wanted) or (ALL in self.parts and not {*WAYS, IPV6, WEBSITE}.issuperset(wanted))

    @property
    def words(self) -> tuple[str, ...]:
        """What one process of the lab passes on another's command line: all but the parts, which don't concern it."""
        return self.name, str(self.index), str(self.state), str(self.cache), self.way

    @classmethod
    def from_words(cls, words: Sequence[str]) -> Lab:
        """The lab of these words."""
        name, index, state, cache, way = words
        return cls(name, int(index), Path(state), Path(cache), way=way)

    def _address(self, rest: str) -> str:
        return f"10.{200 + self.index}.{rest}"

    # Addresses

    @property
    def network(self) -> str:
        """All of the lab's addresses: the one range the host routes into it."""
        return self._address("0.0/16")

    @property
    def service_cidr(self) -> str:
        return self._address("0.0/20")

    @property
    def pod_cidr(self) -> str:
        return self._address("64.0/18")

    @property
    def kubernetes_ip(self) -> str:
        return self._address("0.1")

    @property
    def dns_ip(self) -> str:
        return self._address("0.10")

    @property
    def openbao_ip(self) -> str:
        return self._address("0.20")

    @property
    def mail_ip(self) -> str:
        return self._address("0.25")

    @property
    def acme_ip(self) -> str:
        return self._address("0.30")

    @property
    def nameserver_ip(self) -> str:
        """The name server of lab.test, which the cluster's DNS asks."""
        return self._address("0.53")

    @property
    def website_ip(self) -> str:
        """The web site at lab.test, which is not Mastodon's."""
        return self._address("0.80")

    @property
    def node_ip(self) -> str:
        return self._address("128.1")

    @property
    def gateway_ip(self) -> str:
        return self._address("128.80")

    @property
    def container_network(self) -> str:
        """Where Docker puts its containers."""
        return self._address("192.0/24")

    @property
    def bridge_ip(self) -> str:
        """The lab's end of that network."""
        return self._address("192.1")

    @property
    def container_ip(self) -> str:
        """The first container's."""
        return self._address("192.2")

    @property
    def host_ip(self) -> str:
        """The host's end of the veth pair."""
        return self._address("255.1")

    @property
    def link_ip(self) -> str:
        """The lab's end of the veth pair."""
        return self._address("255.2")

    @property
    def api_url(self) -> str:
        return f"https://{self.node_ip}:{API_PORT}"

    @property
    def mirror_url(self) -> str:
        return f"http://{self.node_ip}:{MIRROR_PORT}"

    @property
    def openbao_url(self) -> str:
        return f"http://{self.openbao_ip}:{OPENBAO_PORT}"

    # Names on the host

    @property
    def host_link(self) -> str:
        """The host's interface; interface names have at most 15 characters."""
        return f"mastodon-lab{self.index}"

    @property
    def disk_number(self) -> int:
        return FIRST_DISK + self.index

    @property
    def disk(self) -> Path:
        """The device that Ceph keeps its data on; no other lab's has its name."""
        return Path(f"/dev/loop{self.disk_number}")

    @property
    def cgroup(self) -> str:
        """The lab's folder in every cgroup hierarchy; a shared one would make kubelets kill each other's pods."""
        return f"/fediverse-mastodon-lab-{self.name}"

    # Files

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def vault_token(self) -> Path:
        return self.state / "vault-token"

    @property
    def facts(self) -> Path:
        """What `up` writes last, for inventories and tests: addresses and where the credentials are."""
        return self.state / "lab.json"

    @property
    def made(self) -> Path:
        """Which machine made this state, and for which index."""
        return self.state / "made.json"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def etc(self) -> Path:
        """The components' configuration."""
        return self.state / "etc"

    @property
    def components(self) -> Path:
        """What init keeps running."""
        return self.etc / "components.json"

    @property
    def log(self) -> Path:
        return self.state / "log"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def volumes(self) -> Path:
        """Where the default StorageClass keeps its volumes."""
        return self.state / "volumes"

    @property
    def disk_file(self) -> Path:
        """What is behind `disk`."""
        return self.state / "ceph-disk"

    @property
    def ceph(self) -> Path:
        """Where Ceph's monitors keep what they know, as they do in a folder of a node's."""
        return self.state / "ceph"

    @property
    def bin(self) -> Path:
        """The programs for people who look into the lab."""
        return self.state / "bin"

    @property
    def mirror(self) -> Path:
        """What is served at `mirror_url`: charts, manifests and images."""
        return self.state / "mirror"
