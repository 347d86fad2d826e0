# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put image archives into the lab's containerd, those that it lacks."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

NAME = "io.containerd.image.name"


def trouble(lab: Lab) -> str:
    """Why containerd doesn't take images yet, or nothing."""
    try:
        _ctr(lab, "version")
    except LabError as error:
        return str(error)
    return ""


def missing(lab: Lab, archives: Iterable[Path]) -> tuple[Path, ...]:
    """The archives of which containerd lacks an image or has another build of it."""
    present = _listed(_ctr(lab, "images", "ls"))
    return tuple(archive for archive in archives if not contents(archive).items() <= present.items())


def load(lab: Lab, archive: Path) -> None:
    _ctr(lab, "images", "import", str(archive))


def contents(archive: Path) -> dict[str, str]:
    """Image name → digest of all images in an OCI layout archive, from its index."""
    try:
        with tarfile.open(archive) as layout:
            index = layout.extractfile("index.json")
            manifests = json.load(index)["manifests"] if index else []
        return {manifest["annotations"][NAME]: manifest["digest"] for manifest in manifests}
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise LabError(f"Image archive {archive}: not readable: {error}. Delete it and run lab/up again.") from error


def _listed(table: str) -> dict[str, str]:
    """`ctr images ls` prints the columns REF, TYPE, DIGEST and more."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {row[0]: row[2] for row in rows}


def _ctr(lab: Lab, *words: str) -> str:
    command = ("ctr", "--address", str(lab.containerd_socket), "--namespace", "k8s.io", *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"`ctr {' '.join(words)}` failed: {reason}. See {lab.log}/containerd.log.")
    return done.stdout
