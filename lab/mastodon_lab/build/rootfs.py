# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What images stand on: BusyBox for single binaries, Debian for what needs a distribution."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build.command import run
from mastodon_lab.build.image import Entries, File, Folder, Link, write_layer
from mastodon_lab.build.store import Store, key
from mastodon_lab.errors import LabError

LAYER = "layer.tar"
ROOT = "root"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
USERS = """\
root:x:0:0:root:/root:/bin/sh
nonroot:x:65532:65532:nonroot:/tmp:/bin/sh
nobody:x:65534:65534:nobody:/tmp:/bin/sh
"""
GROUPS = """\
root:x:0:
nonroot:x:65532:
nogroup:x:65534:
"""
RELEASE = """\
ID=busybox
NAME=BusyBox
PRETTY_NAME="BusyBox, by the lab of fediverse.mastodon"
VERSION_ID=1
"""
# Nobody reads manuals in a container.
LEAVE_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
# Nobody's once all is installed: Perl beyond its base, sources of locales, and LLVM, without which PostgreSQL compiles no queries.
# Each lab unpacks what is left anew, and nothing else of its start keeps the processors as busy.
TAKEN_OUT = (
    "usr/share/perl",
    "usr/lib/*/perl",
    "usr/share/i18n",
    "usr/lib/*/libLLVM*",
    "usr/lib/*/libz3*",
    "usr/lib/postgresql/*/lib/bitcode",
    "usr/lib/postgresql/*/lib/llvmjit*",
)
SLIM = f'cd "$1" && rm -rf {" ".join(TAKEN_OUT)}'
MMDEBSTRAP = (
    "mmdebstrap",
    "--variant=minbase",
    *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEAVE_OUT),
    '--aptopt=Acquire::Languages "none"',
)
# Any fixed moment makes the archive's time stamps the same each time; this one is in no file's future.
MOMENT = "1735689600"


def busybox(store: Store) -> Path:
    """A layer with BusyBox, the machine's certificate authorities, users and a /tmp that all may write."""
    program = shutil.which("busybox")
    if program is None:
        raise LabError("BusyBox: it is not installed. Install it (on Debian: apt-get install busybox-static).")
    if not AUTHORITIES.is_file():
        raise LabError(f"{AUTHORITIES}: it is missing. Install it (on Debian: apt-get install ca-certificates).")
    content, authorities = Path(program).read_bytes(), AUTHORITIES.read_bytes()
    made_from = key(content, authorities, USERS, GROUPS, RELEASE)
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()

    def build(into: Path) -> None:
        entries: Entries = {
            "bin": Folder(),
            "bin/busybox": File(content, 0o755),
            **{f"bin/{applet}": Link("busybox") for applet in applets if applet != "busybox"},
            "etc": Folder(),
            "etc/group": File(GROUPS.encode()),
            "etc/os-release": File(RELEASE.encode()),
            "etc/passwd": File(USERS.encode()),
            "etc/ssl/certs/ca-certificates.crt": File(authorities),
            "tmp": Folder(0o1777),
        }
        write_layer(into / LAYER, entries)

    return store.make("busybox", made_from, build) / LAYER


def debian(
    store: Store,
    name: str,
    packages: Sequence[str],
    hooks: Sequence[str],
    log: Path,
    release: str = versions.DEBIAN,
    target: str = LAYER,
) -> Path:
    """A minimal Debian with `packages`, as a layer, or as a folder if `target` is ROOT.

    Hooks are shell commands that find the new root in `$1`.
    """
    hooked = [f"--customize-hook={hook}" for hook in (*hooks, SLIM)]

    def build(into: Path) -> None:
        run(
            f"Making a Debian with {', '.join(packages)}",
            [*MMDEBSTRAP, f"--include={','.join(packages)}", *hooked, release, into / target],
            log,
            environment={"SOURCE_DATE_EPOCH": MOMENT},
            advice=f"Check that this machine reaches its Debian mirror; the whole output is in {log}.",
        )

    made_from = key(release, *packages, "", *hooks, SLIM, *LEAVE_OUT)
    return store.make(f"debian-{name}", made_from, build) / target


def package_version(layer: Path, package: str) -> str:
    """The upstream version of a Debian package in a layer: `15.20` of 15.20-0+deb12u1."""
    with tarfile.open(layer) as archive:
        status = archive.extractfile("./var/lib/dpkg/status")
        paragraphs = status.read().decode().split("\n\n") if status else []
    for paragraph in paragraphs:
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Package") == package:
            return fields["Version"].split(":")[-1].split("-")[0]
    raise LabError(f"Package {package}: it is not in {layer}. Delete {layer.parent} and run this again.")
