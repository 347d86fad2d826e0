# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and charts as upstream would serve them, made of what the lab's mirror has."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mastodon_lab.build.image import NAME_ANNOTATION, Entries, read_index, write_index, write_layer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


class Images:
    """A layout of images, to which more are added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, reference: str, of: str, entries: Entries) -> None:
        """Add an image, which may be in the place of another one: that of a reference with a layer more."""
        manifest = self._manifest(of)
        layer = self.folder / "layer.tar"
        write_layer(layer, entries)
        added = self._keep(layer.read_bytes(), LAYER)
        layer.unlink()
        config = json.loads(self._blob(manifest["config"]).read_bytes())
        config["rootfs"]["diff_ids"].append(added["digest"])
        described = self._keep(json.dumps(config).encode(), manifest["config"]["mediaType"])
        self._name(reference, {**manifest, "config": described, "layers": [*manifest["layers"], added]})

    def add_chart(self, reference: str, package: Path, about: Mapping[str, Any]) -> None:
        """Add a chart as registries have them (https://helm.sh/docs/topics/registries/)."""
        config = self._keep(json.dumps(about).encode(), CHART_CONFIG)
        layer = self._keep(package.read_bytes(), CHART_LAYER)
        self._name(reference, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})

    def text(self, reference: str, path: str) -> str:
        """Return a file of an image's last layer."""
        with tarfile.open(self._blob(self._manifest(reference)["layers"][-1])) as layer:
            content = layer.extractfile(path)
            assert content is not None
            return content.read().decode()

    def _manifest(self, reference: str) -> dict[str, Any]:
        (entry,) = (item for item in read_index(self.folder) if item["annotations"][NAME_ANNOTATION] == reference)
        found: dict[str, Any] = json.loads(self._blob(entry).read_bytes())
        return found

    def _name(self, reference: str, manifest: Mapping[str, Any]) -> None:
        described = self._keep(json.dumps(manifest).encode(), MANIFEST)
        others = [item for item in read_index(self.folder) if item["annotations"][NAME_ANNOTATION] != reference]
        write_index(self.folder, [*others, {**described, "annotations": {NAME_ANNOTATION: reference}}])

    def _keep(self, blob: bytes, media_type: str) -> dict[str, Any]:
        digest = hashlib.sha256(blob).hexdigest()
        (self.folder / "blobs/sha256" / digest).write_bytes(blob)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(blob)}

    def _blob(self, described: Mapping[str, Any]) -> Path:
        return self.folder / "blobs/sha256" / str(described["digest"]).removeprefix("sha256:")
