# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from mastodon_lab.cluster import images
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

TABLE = """\
REF                   TYPE                                       DIGEST   SIZE    LABELS
docker.io/lab/pause:1 application/vnd.oci.image.manifest.v1+json sha256:a 2.0 MiB io.cri-containerd.image=managed
"""


def archive(folder: Path, index: object | None) -> Path:
    path = folder / "image.tar"
    with tarfile.open(path, "w") as layout:
        if index is not None:
            data = json.dumps(index).encode()
            entry = tarfile.TarInfo("index.json")
            entry.size = len(data)
            layout.addfile(entry, io.BytesIO(data))
    return path


def index(**digests: str) -> dict[str, object]:
    return {"manifests": [{"digest": digest, "annotations": {images.NAME: name}} for name, digest in digests.items()]}


@pytest.mark.parametrize(
    ("digests", "is_missing"),
    [
        ({"docker.io/lab/pause:1": "sha256:a"}, False),
        ({"docker.io/lab/pause:1": "sha256:b"}, True),
        ({"docker.io/lab/pause:1": "sha256:a", "docker.io/library/busybox:1": "sha256:a"}, True),
    ],
    ids=["present", "another build", "one name of two"],
)
def test_only_what_containerd_lacks_is_missing(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digests: dict[str, str], is_missing: bool
) -> None:
    monkeypatch.setattr(images, "_ctr", lambda *words: TABLE)
    path = archive(tmp_path, index(**digests))
    assert images.missing(lab, [path]) == ((path,) if is_missing else ())


@pytest.mark.parametrize("broken", [None, {}, [], {"manifests": [{"digest": "sha256:a"}]}, {"manifests": 3}])
def test_a_broken_archive_is_named(tmp_path: Path, broken: object | None) -> None:
    path = archive(tmp_path, broken)
    with pytest.raises(LabError, match=f"Image archive {path}: not readable"):
        images.contents(path)


@pytest.mark.parametrize("content", [b"", b"not a tar"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(LabError, match="not readable"):
        images.contents(path)


def test_a_containerd_that_is_not_there_is_trouble(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> str:
        raise LabError("no")

    monkeypatch.setattr(images, "_ctr", refuse)
    assert images.trouble(lab) == "no"
