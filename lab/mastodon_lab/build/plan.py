# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a lab is made of, built or found: what `up` asks for before it starts anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build import ceph, components, images, kind_node, mirror, rootfs, site_images, stand_ins, tools
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store
from mastodon_lab.lab import CEPH, DOCKER, KIND, SITE, Lab
from mastodon_lab.progress import Progress

TOOLS = "get Go, kubectl and OpenBao"
SOURCES = "get the modules to build"
SERVERS = "make a Debian with Redis and Knot"
DATABASES = "make a Debian with PostgreSQL, PgBouncer, Barman and restic"
PYTHON = "make a Debian with Python"
DOCKER_ROOT = "make a Debian with Docker"
NODE = "make a Debian for kind's node"
CEPHS = "make a Debian with Ceph"
WRITE = "write images and charts"

POSTGRESQL = f"postgresql-{versions.POSTGRESQL_MAJOR}"
# The last two are for tests: a name server that checks signatures, and a clock that is off.
SERVER_PACKAGES = ("redis-server", "knot", "unbound", "libfaketime")
DATABASE_PACKAGES = ("barman-cli-cloud", "ca-certificates", "pgbouncer", POSTGRESQL, "restic")
PYTHON_PACKAGES = (
    "ca-certificates",
    "python3-aiohttp",
    "python3-boto3",
    "python3-cryptography",
    "python3-pil",
    "python3-psycopg2",
    "python3-redis",
)
# Four thousand files, of which those of one service are asked for.
ONLY_S3 = (
    'find "$1"/usr/lib/python3/dist-packages/botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 -exec rm -rf {} +'
)
# CloudNativePG runs PostgreSQL as user 26, as Red Hat numbers it: https://cloudnative-pg.io/documentation/current/container_images/
POSTGRESQL_HOOKS = (
    f'chroot "$1" usermod --uid {images.POSTGRES_ID} postgres',
    'rm -rf "$1"/var/lib/postgresql/* "$1"/etc/postgresql/*',
)
DATABASE_HOOKS = (*POSTGRESQL_HOOKS, ONLY_S3)
PYTHON_HOOKS = (
    ONLY_S3,
    f'chroot "$1" groupadd --gid {images.MASTODON_ID} mastodon',
    f'chroot "$1" useradd --uid {images.MASTODON_ID} --gid {images.MASTODON_ID} --home-dir /opt/mastodon mastodon',
)


# What the lab has no use for.
NOTHING = Path(os.devnull)
# Whose programs come from that Debian.
SERVERS_FOR = ("knot", "redis", SITE)


@dataclass(frozen=True)
class Built:
    """What was built: programs by name, image layouts, charts and manifests, and the Gateway API's CRDs.

    `mirror` is the folder of charts and manifests, `gateway_api` that of a kustomization.
    """

    programs: Mapping[str, Path]
    images: tuple[Path, ...]
    mirror: Path
    gateway_api: Path

    def bin(self, name: str) -> Path:
        return self.programs[name]


def was_built(lab: Lab) -> bool:
    """Whether all that the lab's parts need was built once, so that less is to be built now."""
    last = "kind" if lab.way == DOCKER else "mirror" if lab.has(SITE) else "coredns"
    return Store(lab.cache).has(last)


def ensure(lab: Lab, progress: Progress) -> Built:
    """Build what is missing. Raises LabError; what was finished until then is not built again."""
    store = Store(lab.cache)
    with store.locked(progress.note):
        built = (_kind_alone if lab.way == DOCKER else _ensure)(lab, store, progress)
        store.prune()
        return built


def _kind_alone(lab: Lab, store: Store, progress: Progress) -> Built:
    """What a lab needs of which all else comes from the internet."""
    progress.expect({TOOLS: 15, SOURCES: 5, _title(components.KIND_ITSELF): components.KIND_ITSELF.seconds})
    with progress.step(TOOLS):
        tool = tools.install(store, lab.cache / "log/tools.log")
    go = Go(tool.go, store, lab.cache / "log/go.log")
    programs = {"kubectl": tool.kubectl, "bao": tool.bao, **_programs([components.KIND_ITSELF], go, progress)}
    return Built(programs, (), mirror.empty(store), _gateway_api(go))


def _gateway_api(go: Go) -> Path:
    return go.module("sigs.k8s.io/gateway-api", versions.GATEWAY_API) / "config/crd"


def _ensure(lab: Lab, store: Store, progress: Progress) -> Built:
    progress.expect(
        {TOOLS: 15, SOURCES: 60, WRITE: 30}
        | ({SERVERS: 60} if lab.has(*SERVERS_FOR) else {})
        | ({DATABASES: 110, PYTHON: 110} if lab.has(SITE) else {})
        | ({DOCKER_ROOT: 70, NODE: 80} if lab.has(KIND) else {})
        | ({CEPHS: 90} if lab.has(CEPH) else {})
        | {_title(component): component.seconds for component in _components(lab)}
    )
    log = lab.cache / "log"
    with progress.step(TOOLS):
        tool = tools.install(store, log / "tools.log")
    go = Go(tool.go, store, log / "go.log")
    # Debian's packages come over the network while Go keeps the processors busy.
    with ThreadPoolExecutor(1) as beside:
        debians = beside.submit(_debians, lab, store, progress, log / "debian.log")
        programs: dict[str, Path] = {
            "kubectl": tool.kubectl,
            "bao": tool.bao,
            **_programs(_components(lab), go, progress),
        }
        debian = debians.result()
    if lab.has(KIND):
        programs["dockerd"] = debian.docker / kind_node.DOCKERD
    with progress.step(WRITE):
        layouts = tuple(images.layout(store, image) for image in _images(lab, store, go, programs, debian))
        made = mirror.make(store, go, tool.kubectl) if lab.has(SITE) else mirror.empty(store)
    return Built(programs, layouts, made, _gateway_api(go))


@dataclass(frozen=True)
class Debians:
    """A layer with servers, one with databases and what goes beside them, one with Python, one with Ceph; a folder with Docker, a
    layer for kind."""

    servers: Path = NOTHING
    databases: Path = NOTHING
    python: Path = NOTHING
    ceph: Path = NOTHING
    docker: Path = NOTHING
    node: Path = NOTHING


def _debians(lab: Lab, store: Store, progress: Progress, log: Path) -> Debians:
    made: dict[str, Path] = {}
    if lab.has(*SERVERS_FOR):
        with progress.step(SERVERS):
            made["servers"] = rootfs.debian(store, "servers", SERVER_PACKAGES, (), log)
    if lab.has(SITE):
        with progress.step(DATABASES):
            made["databases"] = databases(store, log)
        with progress.step(PYTHON):
            made["python"] = rootfs.debian(store, "python", PYTHON_PACKAGES, PYTHON_HOOKS, log)
    if lab.has(KIND):
        with progress.step(DOCKER_ROOT):
            made["docker"] = kind_node.docker_root(store, log)
        with progress.step(NODE):
            made["node"] = kind_node.node_layer(store, log)
    if lab.has(CEPH):
        with progress.step(CEPHS):
            made["ceph"] = rootfs.debian(store, "ceph", ceph.PACKAGES, ceph.HOOKS, log, versions.NEXT_DEBIAN)
    return Debians(**made)


def databases(store: Store, log: Path) -> Path:
    """The Debian with PostgreSQL and what goes beside it."""
    return rootfs.debian(store, "databases", DATABASE_PACKAGES, DATABASE_HOOKS, log, versions.NEXT_DEBIAN)


def older_postgresql(store: Store, log: Path) -> Path:
    """The layout of an image of the PostgreSQL of this Debian, a major below the one of the roles, of which tests begin."""
    package = f"postgresql-{versions.OLDER_POSTGRESQL_MAJOR}"
    layer = rootfs.debian(store, package, ("ca-certificates", package), POSTGRESQL_HOOKS, log)
    version = rootfs.package_version(layer, package)
    return images.layout(store, site_images.postgresql_image(layer, version, versions.OLDER_POSTGRESQL_MAJOR))


def _components(lab: Lab) -> list[components.Component]:
    return [component for component in components.COMPONENTS if lab.has(component.part)]


def _programs(wanted: Sequence[components.Component], go: Go, progress: Progress) -> Mapping[str, Path]:
    with progress.step(SOURCES):
        for module in {component.module for component in wanted} - {components.STAND_INS}:
            go.workspace(module)
    programs: dict[str, Path] = {}
    for component in wanted:
        with progress.step(_title(component)):
            programs.update(go.build(component))
    return programs


def _title(component: components.Component) -> str:
    return f"build {component.name} {component.version}"


def _images(lab: Lab, store: Store, go: Go, programs: Mapping[str, Path], debian: Debians) -> list[images.Image]:
    wanted = _platform_images(lab, store, programs, debian.servers)
    if lab.has(SITE):
        wanted += _site_images(store, go, programs, debian)
    if lab.has(KIND):
        kind = go.module(kind_node.MODULE, versions.KIND)
        wanted += kind_node.images(rootfs.busybox(store), debian.node, programs, kind)
    if lab.has(CEPH):
        wanted += ceph.rook_images(debian.ceph, programs, mirror.rook_module(go, versions.ROOK))
    return wanted


def _platform_images(lab: Lab, store: Store, programs: Mapping[str, Path], servers: Path) -> list[images.Image]:
    base = rootfs.busybox(store)
    return [
        *images.cluster_images(base, programs),
        *images.platform_images(base, servers, programs, lab.has),
    ]


def _site_images(store: Store, go: Go, programs: Mapping[str, Path], debian: Debians) -> list[images.Image]:
    volsync = go.module("github.com/backube/volsync", versions.VOLSYNC)
    flux_operator = go.module("github.com/controlplaneio-fluxcd/flux-operator", versions.FLUX_OPERATOR)
    return [
        *site_images.site_images(rootfs.busybox(store), programs, flux_operator / "config/data"),
        site_images.postgresql_image(debian.databases, rootfs.package_version(debian.databases, POSTGRESQL)),
        *site_images.backup_images(debian.databases, rootfs.busybox(store), programs, volsync),
        images.mastodon_image(debian.python, mirror.MASTODON_APP),
        images.python_image(debian.python),
        *stand_ins.dragonfly_images(rootfs.busybox(store), debian.servers, programs),
    ]
