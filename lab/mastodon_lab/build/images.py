# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that the lab serves, under the names that upstream's charts and manifests ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.image import STAND_IN_LABEL, Entries, File, Folder, Run, write_layer, write_layout
from mastodon_lab.build.store import Store, files_below, key

LAYOUT = "layout"
NOBODY = "65534:65534"
NONROOT = "65532:65532"
MASTODON_ID = 991
POSTGRES_ID = 26
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PAUSE_IMAGE = f"docker.io/lab/pause:{versions.PAUSE}"
COREDNS_IMAGE = f"docker.io/coredns/coredns:{versions.COREDNS.removeprefix('v')}"
LOCAL_PATH_IMAGE = f"docker.io/rancher/local-path-provisioner:{versions.LOCAL_PATH}"
NETWORK_POLICIES_IMAGE = f"registry.k8s.io/networking/kube-network-policies:{versions.NETWORK_POLICIES}"
BUSYBOX_IMAGE = f"docker.io/library/busybox:{versions.BUSYBOX}"
# As tests and people call it.
BUSYBOX_LATEST = "docker.io/library/busybox:latest"
TRAEFIK_IMAGE = f"docker.io/library/traefik:{versions.TRAEFIK}"
OPENBAO_IMAGE = f"quay.io/openbao/openbao:{versions.OPENBAO}"
S3_IMAGE = f"docker.io/versity/versitygw:{versions.VERSITY}"
RCLONE_IMAGE = f"docker.io/rclone/rclone:{versions.RCLONE.removeprefix('v')}"
KNOT_IMAGE = f"docker.io/cznic/knot:{versions.KNOT}"
PEBBLE_IMAGE = f"ghcr.io/letsencrypt/pebble:{versions.PEBBLE.removeprefix('v')}"
MAILPIT_IMAGE = f"docker.io/axllent/mailpit:{versions.MAILPIT}"
REDIS_IMAGE = f"docker.io/library/redis:{versions.REDIS_MAJOR}"
PYTHON_IMAGE = f"docker.io/library/python:{versions.PYTHON_TAG}"
POSTGRESQL = "ghcr.io/cloudnative-pg/postgresql"
# Also served under its exact version, as 17.11.
POSTGRESQL_IMAGE = f"{POSTGRESQL}:{versions.POSTGRESQL_MAJOR}"


@dataclass(frozen=True)
class Image:
    """An image yet to be written: `entries` become a layer of their own above `layers`.

    `variants` are further references to the same layers, each with the way it is run.
    """

    name: str
    references: tuple[str, ...]
    layers: tuple[Path, ...]
    run: Run
    entries: Entries = field(default_factory=dict)
    variants: Mapping[str, Run] = field(default_factory=dict)


def layout(store: Store, image: Image) -> Path:
    """The image's OCI layout, written unless it is there."""

    def build(into: Path) -> None:
        layers = list(image.layers)
        entries = into / "entries.tar"
        if image.entries:
            write_layer(entries, image.entries)
            layers.append(entries)
        write_layout(into / LAYOUT, {**dict.fromkeys(image.references, image.run), **image.variants}, layers)
        entries.unlink(missing_ok=True)

    return store.make(f"layout-{image.name}", key(repr(image)), build) / LAYOUT


def cluster_images(base: Path, program: Mapping[str, Path]) -> tuple[Image, ...]:
    """What a cluster needs to run any pod with DNS and volumes, and to enforce NetworkPolicies."""
    return (
        Image("pause", (PAUSE_IMAGE,), (base,), Run(("/bin/sleep", "2147483647"), user=NOBODY)),
        Image("busybox", (BUSYBOX_IMAGE, BUSYBOX_LATEST), (base,), Run(arguments=("sh",))),
        single(base, program["coredns"], COREDNS_IMAGE, "/coredns"),
        single(base, program["local-path-provisioner"], LOCAL_PATH_IMAGE, "/usr/bin/local-path-provisioner"),
        single(base, program["netpol"], NETWORK_POLICIES_IMAGE, "/bin/netpol"),
    )


def platform_images(base: Path, servers: Path, program: Mapping[str, Path], has: Callable[[str], bool]) -> list[Image]:
    """What a platform team or the internet would provide, as far as the lab `has` it.

    `servers` is the Debian with Redis and Knot.
    """
    singles = {
        "traefik": ("traefik", TRAEFIK_IMAGE, "/usr/local/bin/traefik"),
        "openbao": ("bao", OPENBAO_IMAGE, "/bin/bao"),
        "s3": ("versitygw", S3_IMAGE, "/usr/local/bin/versitygw"),
        "pebble": ("pebble", PEBBLE_IMAGE, "/app"),
        "mailpit": ("mailpit", MAILPIT_IMAGE, "/mailpit"),
    }
    debians = {"knot": ("knotd", KNOT_IMAGE), "redis": ("redis-server", REDIS_IMAGE)}
    environment = {"PATH": SEARCH_PATH}
    return [
        *(single(base, program[name], *rest) for part, (name, *rest) in singles.items() if has(part)),
        # What copies from and to it.
        *([single(base, program["rclone"], RCLONE_IMAGE, "/usr/local/bin/rclone")] if has("s3") else []),
        *(
            Image(part, (reference,), (servers,), Run((command,), environment=environment))
            for part, (command, reference) in debians.items()
            if has(part)
        ),
    ]


def mastodon_image(python: Path, app: Path) -> Image:
    """The stand-in for Mastodon's two images, from a Debian with Python and the app's files, in several versions."""
    home = "opt/mastodon"
    owner = (MASTODON_ID, MASTODON_ID)
    files = {
        f"{home}/{path.relative_to(app)}": File(path.read_bytes(), path.stat().st_mode & 0o777, *owner)
        for path in files_below(app)
    }
    variants = {reference: run for version in versions.MASTODON_LADDER for reference, run in _mastodon(home, version)}
    references = [reference for reference, _run in _mastodon(home, versions.MASTODON)]
    run = variants[references[0]]
    return Image("mastodon", tuple(references), (python,), run, {home: Folder(0o755, *owner), **files}, variants)


def _mastodon(home: str, version: str) -> Iterator[tuple[str, Run]]:
    """The two images of a version; what tells them from those of another is a variable, not a file."""
    run = Run(
        arguments=("python3", "-m", "mastodon_stand_in"),
        environment={
            "PATH": f"/{home}/bin:{SEARCH_PATH}",
            "PYTHONPATH": f"/{home}",
            "PYTHONUNBUFFERED": "1",
            "STAND_IN_VERSION": version.removeprefix("v"),
        },
        user=f"{MASTODON_ID}:{MASTODON_ID}",
        folder=f"/{home}",
        labels={STAND_IN_LABEL: "true"},
    )
    for name in ("mastodon", "mastodon-streaming"):
        yield f"ghcr.io/mastodon/{name}:{version}", run


def python_image(python: Path) -> Image:
    """Python, from the Debian that Mastodon's stand-in runs on."""
    return Image("python", (PYTHON_IMAGE,), (python,), Run(("python3",), environment={"PATH": SEARCH_PATH}))


def single(base: Path, program: Path, reference: str, path: str, user: str = "") -> Image:
    """BusyBox with one program, which is what it runs."""
    return Image(
        program.name,
        (reference,),
        (base,),
        Run((path,), environment={"PATH": SEARCH_PATH}, user=user),
        {path.lstrip("/"): File(program, 0o755)},
    )


def tree(source: Path, target: str) -> Entries:
    """The files of a folder, below another in the image."""
    return {f"{target}/{path.relative_to(source)}": File(path) for path in files_below(source)}
