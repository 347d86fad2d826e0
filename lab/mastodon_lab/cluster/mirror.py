# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A static HTTP server for charts and manifests: what the internet's chart repositories would be."""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Files(SimpleHTTPRequestHandler):
    """GET and HEAD of files; folders have no listing."""

    protocol_version = "HTTP/1.1"

    def list_directory(self, path: str | os.PathLike[str]) -> io.BytesIO | None:
        self.send_error(404)
        return None


def main(words: list[str]) -> None:
    folder, address, port = words
    ThreadingHTTPServer((address, int(port)), partial(Files, directory=folder)).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
