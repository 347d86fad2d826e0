# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write container images as OCI layouts, the same bytes for the same content.

Layers are not compressed: what is pulled on the machine that wrote it gains nothing from it.
Format: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mastodon_lab.errors import LabError

STAND_IN_LABEL = "fediverse.mastodon/stand-in"
NAME_ANNOTATION = "io.containerd.image.name"
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class File:
    """A file of a layer; content in a Path must never change under that name."""

    content: bytes | Path
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Folder:
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Entries = Mapping[str, File | Folder | Link]


@dataclass(frozen=True)
class Run:
    """How a container is started; a pod's `command` replaces `entrypoint`, its `args` replace `arguments`."""

    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    folder: str = "/"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class System(Run):
    """How a container is started that runs a whole system: what asks its init to end."""

    stop_signal: str = "SIGRTMIN+3"


def write_layer(path: Path, entries: Entries) -> None:
    """Write a layer: path inside the image, without leading slash → entry. The runtime makes missing parents."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as layer:
        for name in sorted(entries):
            _add(layer, name, entries[name])


def write_layout(folder: Path, runs: Mapping[str, Run], layers: Sequence[Path]) -> None:
    """Write a layout with an image for each reference in `runs`, all of the same layers, the lowest first.

    Layers are hard links, so that what many images share is on the disk once.
    """
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    digests = [_digest_of(layer) for layer in layers]
    for layer, digest in dict(zip(layers, digests, strict=True)).items():
        (blobs / _hex(digest)).hardlink_to(layer)
    manifests = []
    for reference, run in runs.items():
        config = _config(run, digests)
        manifest = _manifest(config, layers, digests)
        for blob in (config, manifest):
            (blobs / _hex(_sha256(blob))).write_bytes(blob)
        manifests.append({**_descriptor("manifest.v1+json", manifest), "annotations": {NAME_ANNOTATION: reference}})
    write_index(folder, manifests)


def write_index(folder: Path, manifests: Sequence[Mapping[str, Any]]) -> None:
    """Write the files that make a folder with blobs an OCI layout of these manifests."""
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": manifests}
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(_json(index))


def read_index(folder: Path) -> list[dict[str, Any]]:
    """Return the manifests' descriptors of an OCI layout."""
    try:
        manifests: list[dict[str, Any]] = json.loads((folder / "index.json").read_bytes())["manifests"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"Image layout {folder}: not readable: {error}. Delete it and run lab/up again.") from error
    return manifests


def _config(run: Run, digests: Sequence[str]) -> bytes:
    return _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": list(run.entrypoint),
                "Cmd": list(run.arguments),
                "Env": [f"{name}={value}" for name, value in run.environment.items()],
                "User": run.user,
                "WorkingDir": run.folder,
                "Labels": dict(run.labels),
                **({"StopSignal": run.stop_signal} if isinstance(run, System) else {}),
            },
            "rootfs": {"type": "layers", "diff_ids": digests},
        }
    )


def _manifest(config: bytes, layers: Sequence[Path], digests: Sequence[str]) -> bytes:
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _descriptor("config.v1+json", config),
            "layers": [
                {"mediaType": f"{_OCI}.layer.v1.tar", "digest": digest, "size": layer.stat().st_size}
                for layer, digest in zip(layers, digests, strict=True)
            ],
        }
    )


def _add(archive: tarfile.TarFile, name: str, entry: File | Folder | Link) -> None:
    member = tarfile.TarInfo(name)
    if isinstance(entry, Link):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.target, 0o777
        archive.addfile(member)
        return
    member.mode, member.uid, member.gid = entry.mode, entry.uid, entry.gid
    if isinstance(entry, Folder):
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
        return
    if isinstance(entry.content, bytes):
        member.size = len(entry.content)
        archive.addfile(member, io.BytesIO(entry.content))
        return
    member.size = entry.content.stat().st_size
    with entry.content.open("rb") as content:
        archive.addfile(member, content)


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _digest_of(path: Path) -> str:
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{media_type}", "digest": _sha256(blob), "size": len(blob)}
