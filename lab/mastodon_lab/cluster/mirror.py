# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve charts, manifests and images as the internet's repositories and registries would.

Of the registries' API it has what pulling asks for: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
A registry proper would have to be filled by pushes at each start, and would keep a second copy of every image.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

IMAGES = "images"
NAME = "io.containerd.image.name"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
PULL = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<wanted>[^/]+)")


class Files(SimpleHTTPRequestHandler):
    """GET and HEAD of files; folders have no listing."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Docker asks first whether this is a registry."""
        if urlsplit(self.path).path != "/v2/":
            return super().send_head()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def translate_path(self, path: str) -> str:
        """Where the file lies that is asked for; containerd names the registry that it takes this for in `ns`."""
        url = urlsplit(path)
        pull = PULL.fullmatch(url.path)
        if pull is None:
            return super().translate_path(path)
        registry = parse_qs(url.query).get("ns", ["docker.io"])[0]
        digest = DIGEST.fullmatch(pull["wanted"]) or DIGEST.fullmatch(
            self._digest(f"{registry}/{pull['name']}:{pull['wanted']}")
        )
        return str(Path(self.directory, IMAGES, "blobs/sha256", digest[1] if digest else "unknown"))

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        pull = PULL.fullmatch(urlsplit(self.path).path)
        return MANIFEST if pull and pull["kind"] == "manifests" else super().guess_type(path)

    def end_headers(self) -> None:
        blob = Path(self.translate_path(self.path))
        if blob.parent.name == "sha256" and blob.exists():
            self.send_header("Docker-Content-Digest", f"sha256:{blob.name}")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> io.BytesIO | None:
        self.send_error(404)
        return None

    def _digest(self, reference: str) -> str:
        index: dict[str, Any] = json.loads(Path(self.directory, IMAGES, "index.json").read_bytes())
        found = (entry["digest"] for entry in index["manifests"] if entry["annotations"][NAME] == reference)
        return str(next(found, ""))


def main(words: list[str]) -> None:
    folder, address, port = words
    ThreadingHTTPServer((address, int(port)), partial(Files, directory=folder)).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
