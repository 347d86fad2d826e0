# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internet as far as the lab's mirror has it: its names by DNS, and below each of them, over TLS, what its registry or site would serve.

    python upstream.py FOLDER ADDRESS CERTIFICATES

FOLDER has `images` and, below `sites`, a folder for each host name; what is asked for is noted in `asked`. For each of these host names
CERTIFICATES has a certificate and a key. Names that are not among them do not exist.
"""

from __future__ import annotations

import io
import json
import re
import socket
import ssl
import struct
import sys
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from mastodon_lab.cluster.mirror import IMAGES, NAME, Files

# What images' names call it.
DOCKER_HUB = "registry-1.docker.io"
REGISTRIES = {DOCKER_HUB: "docker.io"}
TAGS = re.compile(r"/v2/(.+)/tags/list")
A, HTTPS, DNS = 1, 443, 53


class Upstream(Files):
    """A site or registry by the name that it is asked under."""

    @property
    def host(self) -> str:
        return str(self.headers["Host"]).partition(":")[0]

    def translate_path(self, path: str) -> str:
        url = urlsplit(path)
        if url.path.startswith("/v2/"):
            return super().translate_path(f"{url.path}?ns={REGISTRIES.get(self.host, self.host)}")
        return super().translate_path(f"/sites/{self.host}{url.path}")

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        tags = TAGS.fullmatch(urlsplit(self.path).path)
        if tags is None:
            return super().send_head()
        body = json.dumps({"name": tags[1], "tags": self._tags(f"{self.host}/{tags[1]}:")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def _tags(self, before: str) -> list[str]:
        index = json.loads(Path(self.directory, IMAGES, "index.json").read_bytes())
        names = (entry["annotations"][NAME] for entry in index["manifests"])
        return [name.removeprefix(before) for name in names if name.startswith(before)]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        with Path(self.directory, "asked").open("a", encoding="utf-8") as asked:
            asked.write(json.dumps([self.host, urlsplit(self.path).path, int(code)]) + "\n")


def answer(query: bytes, address: str, names: set[str]) -> bytes:
    """Return what a name server says that knows these names, all with this address, and nothing else (RFC 1035, 4)."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    question, (kind,) = query[12 : at + 5], struct.unpack("!H", query[at + 1 : at + 3])
    known = ".".join(labels) in names
    found = known and kind == A
    header = query[:2] + struct.pack("!HHHHH", 0x8580 if known else 0x8583, 1, int(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, A, 1, 60, 4) + socket.inet_aton(address)
    return header + question + (record if found else b"")


def name(asked_at: str, address: str, names: set[str]) -> None:
    """Answer questions for names for ever; of an address of its own, as who asked one takes no answer from another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((asked_at, DNS))
        while True:
            query, client = server.recvfrom(4096)
            server.sendto(answer(query, address, names), client)


def contexts(certificates: Path, names: set[str]) -> ssl.SSLContext:
    """Return a context that shows each name its own certificate."""
    made = {name: ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for name in sorted(names)}
    for host, context in made.items():
        context.load_cert_chain(certificates / f"{host}.crt", certificates / f"{host}.key")

    def choose(connection: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> int | None:
        if host not in made:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = made[host]
        return None

    first = next(iter(made.values()))
    first.sni_callback = choose
    return first


def main(words: list[str]) -> None:
    folder, address, certificates = words
    names = {site.name for site in Path(folder, "sites").iterdir()}
    for asked_at in (address, "127.0.0.1"):
        threading.Thread(target=name, args=(asked_at, address, names), daemon=True).start()
    server = ThreadingHTTPServer(("", HTTPS), partial(Upstream, directory=folder))
    # Each connection shakes hands in its own thread, so that one that says nothing keeps nobody waiting.
    context = contexts(Path(certificates), names)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
