# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles' pins bring in production, what the lab has in its place, and why that differs.

`lab/status` and lab/README.md say it; nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass

from mastodon_lab import versions
from mastodon_lab.lab import CEPH, SITE


@dataclass(frozen=True)
class Pinned:
    """One program.

    `pin` is a variable below roles/*/vars and a key of it, and `looked_at` is what it was when this row was written:
    tests compare them, so that a pin does not move without a look at what follows for the lab. `brings` is the program's
    version by that pin, `here` the lab's, and `changed` what the lab's lacks or has beside it. `part` is what of the lab
    has it.
    """

    name: str
    pin: str
    looked_at: str
    brings: str
    here: str
    changed: str = ""
    because: str = ""
    stand_in: bool = False
    part: str = SITE

    @property
    def instead(self) -> str:
        """What the lab has in place of what production gets, or nothing where it has the same."""
        if self.stand_in:
            return f"a stand-in: {self.changed}"
        if self.here != self.brings:
            return " ".join(filter(None, (self.here, self.changed)))
        return f"the same {self.changed}" if self.changed else ""


_FLUX = ("flux_pins.distribution", "2.9.5")
_NO_CHART = "with its release's manifest in a chart of the lab's, which takes no values"
_NO_CHART_BECAUSE = "no registry here has the chart"

PINNED = (
    Pinned(
        "Flux Operator",
        "flux_pins.operator",
        "v0.59.0",
        "v0.59.0",
        versions.FLUX_OPERATOR,
        changed="without its web page and the digests of its images",
        because="the page is not in its module, and images built elsewhere have other digests",
    ),
    Pinned("Flux", *_FLUX, "2.9.5", "2.9.5"),
    Pinned("Flux source-controller", *_FLUX, "v1.9.5", versions.SOURCE_CONTROLLER),
    Pinned("Flux kustomize-controller", *_FLUX, "v1.9.5", versions.KUSTOMIZE_CONTROLLER),
    Pinned("Flux helm-controller", *_FLUX, "v1.6.4", versions.HELM_CONTROLLER),
    Pinned(
        "Flux notification-controller",
        *_FLUX,
        versions.NOTIFICATION_CONTROLLER_TAG,
        versions.NOTIFICATION_CONTROLLER,
        because="the Go proxy refuses the module of that version; the image has its name all the same, as Flux asks for it",
    ),
    Pinned(
        "cert-manager",
        "cert_manager_pins.chart",
        "v1.21.2",
        "v1.21.2",
        versions.CERT_MANAGER,
        changed="without Venafi's issuer and with a main program of the lab's",
        because="the Go proxy refuses that issuer's SDK and does not serve the modules of upstream's main programs",
    ),
    Pinned(
        "External Secrets",
        "external_secrets_pins.chart",
        "2.9.0",
        "v2.9.0",
        versions.EXTERNAL_SECRETS,
        changed="with the Vault provider only",
        because="all later versions are split into modules that the Go proxy refuses (runtime, providers), "
        "and the other providers would triple the build",
    ),
    Pinned(
        "CloudNativePG",
        "cnpg_pins.chart",
        "0.29.0",
        "v1.30.0",
        versions.CLOUDNATIVE_PG,
        changed=_NO_CHART,
        because=_NO_CHART_BECAUSE,
    ),
    Pinned(
        "PgBouncer",
        "cnpg_pins.chart",
        "0.29.0",
        versions.PGBOUNCER,
        "1.24",
        because="Debian trixie has that one; the image has the other's name, as CloudNativePG asks for it",
    ),
    Pinned(
        "Barman Cloud plugin",
        "cnpg_pins.plugin_barman_cloud",
        "0.7.0",
        "v0.13.0",
        versions.BARMAN_CLOUD,
        changed=_NO_CHART,
        because=_NO_CHART_BECAUSE,
    ),
    Pinned(
        "Barman",
        "cnpg_pins.plugin_barman_cloud",
        "0.7.0",
        "3.19.1",
        "3.13",
        because="Debian trixie has that one; it is in the image of the plugin's sidecar",
    ),
    Pinned(
        "PostgreSQL",
        "common_pins.postgresql",
        "17.11-202608310816-standard-bookworm@sha256:e8ffaff9d17011fb71f264d857c3b4c54cb86ed0443a4ecb0298cb96be708d4e",
        "17.11",
        versions.POSTGRESQL_MAJOR,
        because="it is Debian trixie's, with the minor version that this has on the day of the build",
    ),
    Pinned("external-dns", "external_dns_pins.chart", "1.22.0", "v0.22.0", versions.EXTERNAL_DNS),
    Pinned(
        "VolSync",
        "volsync_pins.chart",
        "0.16.0",
        "v0.16.0",
        versions.VOLSYNC,
        changed="without Syncthing",
        because="that wants another version of a library than Traefik, and one build has one version of each",
    ),
    Pinned(
        "restic",
        "volsync_pins.chart",
        "0.16.0",
        "0.18.1",
        "0.18.0",
        because="Debian trixie has that one; it is in VolSync's image",
    ),
    Pinned(
        "Rook operator",
        "rook_pins.chart",
        "v1.20.6",
        "v1.20.6",
        versions.ROOK,
        changed="with three fields added to its second module",
        because="of that module, of the same commit as the operator, the Go proxy serves one version alone, a day older than that release",
        part=CEPH,
    ),
    Pinned(
        "Ceph",
        "rook_pins.ceph",
        "v20.2.4",
        "v20.2.4",
        versions.CEPH,
        changed="of Debian's packages, with a dmsetup that gives its version by itself",
        because="Debian trixie has that one, the newest that Rook 1.16 knows is of the same series, and Rook asks for that version before it "
        "takes a disk, also where the kernel has no device-mapper, which a whole disk has no use for",
        part=CEPH,
    ),
    Pinned(
        "rclone",
        "rook_pins.rclone",
        "1.75.1",
        "v1.75.1",
        versions.RCLONE,
        changed="with S3 and files as the only kinds of storage, and only the commands that are used",
        because="the SDKs of seventy others would multiply its build",
        part="s3",
    ),
    Pinned(
        "Dragonfly operator",
        "dragonfly_pins.chart",
        "v1.6.1",
        "v1.6.1",
        versions.DRAGONFLY_OPERATOR,
        changed="the lab's own operator and chart",
        because="the Go proxy refuses all versions of its module, and no registry has the chart",
        stand_in=True,
    ),
    Pinned(
        "Dragonfly",
        "dragonfly_pins.image",
        "v1.39.0",
        "v1.39.0",
        versions.DRAGONFLY,
        changed="Redis, run as Dragonfly is",
        because="the server is C++, and PyPI, npm, crates.io, Maven Central and Debian have neither it nor its source",
        stand_in=True,
    ),
    Pinned(
        "Mastodon chart",
        "mastodon_pins.chart",
        "1.2.2",
        "1.2.2",
        versions.MASTODON_CHART,
        changed="the lab's own, of the same values and objects",
        because="no registry has it",
        stand_in=True,
    ),
    Pinned(
        "Mastodon",
        "mastodon_pins.mastodon",
        "v4.7.4",
        "v4.7.4",
        versions.MASTODON,
        changed="the lab's own, of the same interfaces",
        because="neither its source nor the gems that it needs are in PyPI, npm, crates.io, Maven Central or Debian, and it is no Go "
        "module; tests upgrade the stand-in to the pinned version",
        stand_in=True,
    ),
    Pinned(
        "Python",
        "mastodon_pins.python",
        "3.13.9-slim",
        "3.13",
        versions.PYTHON,
        because="Debian bookworm has that one",
    ),
)
