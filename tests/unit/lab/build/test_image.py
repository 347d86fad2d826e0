# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from mastodon_lab.build.image import (
    NAME_ANNOTATION,
    STAND_IN_LABEL,
    Entries,
    File,
    Folder,
    Link,
    Run,
    read_index,
    write_layer,
    write_layout,
)
from mastodon_lab.errors import LabError

REFERENCES = ("ghcr.io/some/thing:v1", "docker.io/some/thing:v1")


def layer(folder: Path, name: str, entries: Entries) -> Path:
    write_layer(folder / name, entries)
    return folder / name


def image(folder: Path, run: Run | None = None) -> Path:
    base = layer(folder, "base.tar", {"bin/sh": File(b"sh", 0o755)})
    top = layer(folder, "top.tar", {"app": File(b"app", 0o755)})
    write_layout(folder / "layout", dict.fromkeys(REFERENCES, run or Run(("/app",))), (base, top))
    return folder / "layout"


def blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def read(layout: Path, name: str) -> Any:
    return json.loads((layout / name).read_bytes())


def contents(layout: Path) -> dict[str, bytes]:
    return {str(path.relative_to(layout)): path.read_bytes() for path in layout.rglob("*") if path.is_file()}


def test_entries_are_as_described(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"machine code")
    path = layer(
        tmp_path,
        "layer.tar",
        {
            "tmp": Folder(0o1777),
            "home": Folder(0o755, 991, 992),
            "home/program": File(program, 0o755, 991, 992),
            "bin/ls": Link("busybox"),
        },
    )
    with tarfile.open(path) as archive:
        found = {member.name: member for member in archive}
        content = archive.extractfile("home/program")
        assert content
        assert content.read() == b"machine code"
    assert (found["tmp"].isdir(), found["tmp"].mode) == (True, 0o1777)
    assert (found["home/program"].mode, found["home/program"].uid, found["home/program"].gid) == (0o755, 991, 992)
    assert (found["bin/ls"].issym(), found["bin/ls"].linkname) == (True, "busybox")
    assert {member.mtime for member in found.values()} == {0}


def test_same_content_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    assert contents(image(tmp_path / "1")) == contents(image(tmp_path / "2"))


def test_layout_is_whole(tmp_path: Path) -> None:
    layout = image(tmp_path)
    assert read(layout, "oci-layout") == {"imageLayoutVersion": "1.0.0"}
    index = read(layout, "index.json")
    assert [entry["annotations"][NAME_ANNOTATION] for entry in index["manifests"]] == list(REFERENCES)
    assert len({entry["digest"] for entry in index["manifests"]}) == 1
    manifest_blob = blob(layout, index["manifests"][0]["digest"])
    assert len(manifest_blob) == index["manifests"][0]["size"]
    manifest = json.loads(manifest_blob)
    config = json.loads(blob(layout, manifest["config"]["digest"]))
    assert config["rootfs"]["diff_ids"] == [entry["digest"] for entry in manifest["layers"]]
    for entry in (manifest["config"], *manifest["layers"]):
        content = blob(layout, entry["digest"])
        assert (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)) == (entry["digest"], entry["size"])


def test_config_says_how_to_run(tmp_path: Path) -> None:
    run = Run(("/app",), ("serve",), {"PATH": "/bin"}, "991:991", "/opt", {STAND_IN_LABEL: "true"})
    layout = image(tmp_path, run)
    manifest = json.loads(blob(layout, read(layout, "index.json")["manifests"][0]["digest"]))
    assert json.loads(blob(layout, manifest["config"]["digest"]))["config"] == {
        "Entrypoint": ["/app"],
        "Cmd": ["serve"],
        "Env": ["PATH=/bin"],
        "User": "991:991",
        "WorkingDir": "/opt",
        "Labels": {STAND_IN_LABEL: "true"},
    }


def test_a_layer_that_comes_twice_is_stored_once_and_not_copied(tmp_path: Path) -> None:
    base = layer(tmp_path, "base.tar", {"bin/sh": File(b"sh")})
    write_layout(tmp_path / "layout", dict.fromkeys(REFERENCES, Run()), (base, base))
    layers = read(tmp_path / "layout", "index.json")["manifests"]
    assert len(contents(tmp_path / "layout")) == len(("oci-layout", "index.json", "layer", "config", "manifest"))
    assert len(layers) == len(REFERENCES)
    assert base.stat().st_nlink == len(("the layer", "the blob"))


@pytest.mark.parametrize("content", [None, b"", b"not JSON", b"[]", b"{}"])
def test_a_broken_layout_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(LabError, match=f"Image layout {tmp_path}: not readable"):
        read_index(tmp_path)


def test_references_may_be_run_each_in_its_own_way(tmp_path: Path) -> None:
    base = layer(tmp_path, "base.tar", {"bin/sh": File(b"sh")})
    runs = {f"docker.io/some/thing:{version}": Run(environment={"VERSION": version}) for version in ("1", "2")}
    write_layout(tmp_path / "layout", runs, (base,))
    found = {}
    for entry in read(tmp_path / "layout", "index.json")["manifests"]:
        manifest = json.loads(blob(tmp_path / "layout", entry["digest"]))
        config = json.loads(blob(tmp_path / "layout", manifest["config"]["digest"]))
        found[entry["annotations"][NAME_ANNOTATION]] = config["config"]["Env"]
    assert found == {"docker.io/some/thing:1": ["VERSION=1"], "docker.io/some/thing:2": ["VERSION=2"]}
