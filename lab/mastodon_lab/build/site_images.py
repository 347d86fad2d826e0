# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of what site.yml installs, and of what CloudNativePG and VolSync start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.image import File, Link, Run
from mastodon_lab.build.images import NOBODY, NONROOT, POSTGRES_ID, POSTGRESQL, SEARCH_PATH, Image, single, tree

CERT_MANAGER = "/usr/local/bin/cert-manager"
CERT_MANAGER_PARTS = ("controller", "webhook", "cainjector", "acmesolver", "startupapicheck")
# Images with one program: its name here, the reference, its path there, and who runs it.
SINGLES = (
    (
        "external-secrets",
        f"oci.external-secrets.io/external-secrets/external-secrets:{versions.EXTERNAL_SECRETS}",
        "/bin/external-secrets",
        NOBODY,
    ),
    (
        "external-dns",
        f"registry.k8s.io/external-dns/external-dns:{versions.EXTERNAL_DNS}",
        "/ko-app/external-dns",
        NONROOT,
    ),
    *(
        (name, f"ghcr.io/fluxcd/{name}:{version}", f"/usr/local/bin/{name}", NOBODY)
        for name, version in (
            ("source-controller", versions.SOURCE_CONTROLLER),
            ("kustomize-controller", versions.KUSTOMIZE_CONTROLLER),
            ("helm-controller", versions.HELM_CONTROLLER),
            ("notification-controller", versions.NOTIFICATION_CONTROLLER_TAG),
        )
    ),
)
BARMAN_CLOUD = "ghcr.io/cloudnative-pg/plugin-barman-cloud"


def site_images(base: Path, program: Mapping[str, Path], flux_data: Path) -> tuple[Image, ...]:
    """What site.yml installs with Helm and Flux; `flux_data` holds the operator's distribution manifests."""
    return (
        *_cert_manager(base, program["cert-manager"]),
        *(single(base, program[name], *rest) for name, *rest in SINGLES),
        _cloudnative_pg(base, program["manager"]),
        _flux_operator(base, program["flux-operator"], flux_data),
    )


def _cert_manager(base: Path, program: Path) -> Iterator[Image]:
    """One program that is several, by its first argument."""
    image = single(base, program, "", CERT_MANAGER)
    for part in CERT_MANAGER_PARTS:
        yield replace(
            image,
            name=f"cert-manager-{part}",
            references=(f"quay.io/jetstack/cert-manager-{part}:{versions.CERT_MANAGER}",),
            run=Run((CERT_MANAGER, part), user="1000:1000"),
        )


def _cloudnative_pg(base: Path, program: Path) -> Image:
    return Image(
        "cloudnative-pg",
        (f"ghcr.io/cloudnative-pg/cloudnative-pg:{versions.CLOUDNATIVE_PG.removeprefix('v')}",),
        (base,),
        Run(("/manager",), user=NONROOT),
        # The operator serves its own program, by architecture, to the pods of its clusters.
        {"operator/manager_amd64": File(program, 0o755), "manager": Link("operator/manager_amd64")},
    )


def _flux_operator(base: Path, program: Path, flux_data: Path) -> Image:
    return Image(
        "flux-operator",
        (f"ghcr.io/controlplaneio-fluxcd/flux-operator:{versions.FLUX_OPERATOR}",),
        (base,),
        # It refuses to run outside FIPS 140-3 mode, which upstream switches on when it builds.
        Run(("/flux-operator",), user=NONROOT, environment={"GODEBUG": "fips140=on"}),
        # Without the lists of digests in flux-images the operator asks for images by tag only, as it does for
        # registries it doesn't know: images built elsewhere can't have those digests.
        {
            "flux-operator": File(program, 0o755),
            "data/flux-images/VERSION": File(flux_data / "flux-images/VERSION"),
            **tree(flux_data / "flux", "data/flux"),
        },
    )


def postgresql_image(debian: Path, version: str, major: str = versions.POSTGRESQL_MAJOR) -> Image:
    """PostgreSQL as CloudNativePG wants it: its programs on the path and user 26."""
    return Image(
        "postgresql" if major == versions.POSTGRESQL_MAJOR else f"postgresql-{major}",
        (f"{POSTGRESQL}:{major}", f"{POSTGRESQL}:{version}"),
        (debian,),
        Run(
            environment={"PATH": f"/usr/lib/postgresql/{major}/bin:{SEARCH_PATH}"},
            user=f"{POSTGRES_ID}:{POSTGRES_ID}",
        ),
    )


def backup_images(debian: Path, base: Path, program: Mapping[str, Path], volsync: Path) -> tuple[Image, ...]:
    """What goes beside databases and volumes, from that Debian, which has PgBouncer, Barman and restic, too.

    `volsync` is the published module, which has the script that calls restic.
    """
    return (
        _pgbouncer(debian),
        *_barman_cloud(debian, base, program["barman-cloud"]),
        _volsync(debian, program["volsync"], volsync),
    )


def _pgbouncer(debian: Path) -> Image:
    return Image(
        "pgbouncer",
        (f"ghcr.io/cloudnative-pg/pgbouncer:{versions.PGBOUNCER}",),
        (debian,),
        Run(environment={"PATH": SEARCH_PATH}, user="998:996"),
        # Where CloudNativePG, which brings the program that starts it, looks for it.
        {"usr/bin/pgbouncer": Link("../sbin/pgbouncer")},
    )


def _barman_cloud(debian: Path, base: Path, program: Path) -> tuple[Image, Image]:
    manager = {"manager": File(program, 0o755)}
    beside = Run(("/manager",), environment={"PATH": SEARCH_PATH}, user=f"{POSTGRES_ID}:{POSTGRES_ID}")
    return (
        Image(
            "plugin-barman-cloud",
            (f"{BARMAN_CLOUD}:{versions.BARMAN_CLOUD}",),
            (base,),
            Run(("/manager",), user=NONROOT),
            manager,
        ),
        Image(
            "plugin-barman-cloud-sidecar",
            (f"{BARMAN_CLOUD}-sidecar:{versions.BARMAN_CLOUD}",),
            (debian,),
            beside,
            manager,
        ),
    )


def _volsync(debian: Path, program: Path, module: Path) -> Image:
    return Image(
        "volsync",
        (f"quay.io/backube/volsync:{versions.VOLSYNC.removeprefix('v')}",),
        (debian,),
        Run(("/manager",), environment={"PATH": SEARCH_PATH}, user=NOBODY),
        {
            "manager": File(program, 0o755),
            "mover-restic/entry.sh": File(module / "mover-restic/entry.sh", 0o755),
        },
    )
