# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of Rook's operator and of Ceph, under upstream's names: programs of Debian's, with the operator above them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.image import Entries, File, Run
from mastodon_lab.build.images import SEARCH_PATH, Image
from mastodon_lab.build.store import files_below

ROOK_IMAGE = f"docker.io/rook/ceph:{versions.ROOK}"
CEPH_IMAGE = f"quay.io/ceph/ceph:{versions.CEPH}"
# As upstream has it: https://github.com/rook/rook/blob/v1.16.0/images/ceph/Dockerfile
ROOK_ID = 2016
# A gateway's probes call curl; of what prepares disks gdisk, lvm2, udev and util-linux are called.
PACKAGES = (
    "ca-certificates",
    "ceph-common",
    "ceph-mgr",
    "ceph-mon",
    "ceph-osd",
    "ceph-volume",
    "curl",
    "gdisk",
    "iproute2",
    "lvm2",
    "procps",
    "python3",
    "radosgw",
    "udev",
    "util-linux",
)
# Large, and nobody's here: file systems, and repairs of disks by hand.
TAKEN_OUT = (
    "ceph-kvstore-tool",
    "ceph-monstore-tool",
    "ceph-objectstore-tool",
    "ceph-osdmap-tool",
    "cephfs-*",
    "radosgw-object-expirer",
)
HOOKS = (f'chroot "$1" useradd --uid {ROOK_ID} rook', f'cd "$1"/usr/bin && rm -f {" ".join(TAKEN_OUT)}')
# Rook asks for its version before it prepares a disk, and it fails where the kernel has no device-mapper. A whole disk needs none.
DMSETUP = b"""\
#!/bin/sh
if [ "$1" = version ]; then
    echo "Library version:   1.02.205"
    echo "Driver version:    4.48.0"
    exit
fi
exec /usr/sbin/dmsetup "$@"
"""


def rook_images(debian: Path, program: Mapping[str, Path], module: Path) -> tuple[Image, ...]:
    """The operator and Ceph. `debian` is a layer with PACKAGES, `module` Rook's as it is published."""
    environment = {"PATH": SEARCH_PATH}
    shim = {"usr/local/sbin/dmsetup": File(DMSETUP, 0o755)}
    return (
        Image("ceph", (CEPH_IMAGE,), (debian,), Run(environment=environment), shim),
        Image(
            "rook",
            (ROOK_IMAGE,),
            (debian,),
            Run(("/usr/local/bin/rook",), environment=environment, user=str(ROOK_ID)),
            {**shim, "usr/local/bin/rook": File(program["rook"], 0o755), **_files(module)},
        ),
    )


def _files(module: Path) -> Entries:
    scripts, examples = module / "images/ceph", module / "deploy/examples"
    return {
        **{f"usr/local/bin/{name}": File(scripts / name, 0o755) for name in ("set-ceph-debug-level", "toolbox.sh")},
        **{
            f"etc/ceph-monitoring/{path.relative_to(examples / 'monitoring')}": File(path)
            for path in files_below(examples / "monitoring")
        },
        **{
            f"etc/rook-external/{path.name}": File(path)
            for path in sorted(examples.glob("create-external-cluster-resources.*"))
        },
    }
