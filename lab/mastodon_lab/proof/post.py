# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A post with a picture: the worker processes it, streaming delivers it, anyone reads the picture."""

from __future__ import annotations

import json
import struct
import time
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import websocket

from mastodon_lab.errors import LabError
from mastodon_lab.proof.session import ACCOUNT, Session
from mastodon_lab.proof.site import DOMAIN, Site

SECONDS = 60.0
_BOUNDARY = "lab-prove-boundary"


def post_a_picture(session: Session) -> tuple[str, list[str]]:
    """Post while listening; return the post's id and what was proved."""
    picture = png()
    media = _uploaded(session, picture)
    socket = _listening(session)
    try:
        text = f"Hello from the lab, {uuid.uuid4().hex[:8]}"
        status = session.call("POST", "/api/v1/statuses", {"status": text, "media_ids": [media["id"]]})
        _await_post(socket, str(status["id"]))
    finally:
        socket.close()
    return str(status["id"]), [
        f"@{ACCOUNT} signed in by the form and posted status {status['id']} with a picture, which Sidekiq processed",
        f"wss://{DOMAIN}/api/v1/streaming delivered the post",
        _read_by_anyone(session.site, media["url"], picture),
    ]


def _uploaded(session: Session, picture: bytes) -> Any:
    """Upload a picture and wait until the worker is done with it, which then has read and written the bucket."""
    form = b"".join(
        (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="dot.png"\r\n'.encode(),
            b"Content-Type: image/png\r\n\r\n",
            picture,
            f"\r\n--{_BOUNDARY}--\r\n".encode(),
        )
    )
    media = session.send("POST", "/api/v2/media", form, f"multipart/form-data; boundary={_BOUNDARY}")
    return eventually(
        lambda: shown if (shown := session.get(f"/api/v1/media/{media['id']}"))["url"] else None,
        f"Media {media['id']}: Sidekiq has not processed it after {SECONDS:.0f} s. "
        "Read the logs of Deployment mastodon-sidekiq-all-queues.",
    )


def _listening(session: Session) -> websocket.WebSocket:
    """Listen to the account's own stream through the Gateway."""
    address = f"wss://{DOMAIN}/api/v1/streaming?stream=user"
    try:
        return websocket.create_connection(
            address,
            timeout=SECONDS,
            socket=session.site.connect(),
            header={"Authorization": f"Bearer {session.token}"},
        )
    except (OSError, websocket.WebSocketException) as error:
        raise LabError(f"{address}: no WebSocket: {error}. Read the logs of Deployment mastodon-streaming.") from error


def _await_post(socket: websocket.WebSocket, status: str) -> None:
    try:
        while True:
            frame = json.loads(socket.recv())
            if frame["event"] == "update" and json.loads(frame["payload"])["id"] == status:
                return
    except (OSError, ValueError, websocket.WebSocketException) as error:
        raise LabError(
            f"Status {status}: streaming has not delivered it: {error}. "
            "Read the logs of Deployments mastodon-streaming and mastodon-sidekiq-all-queues."
        ) from error


def _read_by_anyone(site: Site, url: str, picture: bytes) -> str:
    answer = site.fetch(url)
    if (answer.status, answer.media_type) != (200, "image/png"):
        raise LabError(
            f"GET {url}: without credentials it answers {answer.status} {answer.media_type}. "
            "Let anyone read the bucket's objects."
        )
    if answer.body != picture:
        raise LabError(f"GET {url}: it is another picture than was uploaded. Read the logs of Deployment mastodon-web.")
    return f"the picture lies in the S3 bucket, and anyone reads it at {url}"


def eventually(look: Callable[[], Any], trouble: str) -> Any:
    """Return what `look` finds, looking again for a while; raise LabError with the trouble when it finds nothing."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise LabError(trouble)
        time.sleep(0.5)
    return found


def png() -> bytes:
    """Return a picture of 2 by 2 pixels with a random colour, so that no two runs upload the same bytes."""
    colour = uuid.uuid4().bytes[:3]
    raw = b"".join(b"\0" + colour * 2 for _ in range(2))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
