# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import struct
import zlib

import pytest
import websocket
from mastodon_lab.errors import LabError
from mastodon_lab.proof import post
from mastodon_lab.proof.site import Answer, Site


class Media(Site):
    """A site whose media host answers one thing."""

    answer: Answer

    def fetch(self, url: str) -> Answer:
        return self.answer


def media(answer: Answer) -> Media:
    made = Media("192.0.2.1", ("kubectl",), "http://vault.test", "token", "")
    object.__setattr__(made, "answer", answer)
    return made


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer(200, "image/png", b"picture"), None),
        (Answer(403, "application/xml", b"AccessDenied"), "without credentials it answers 403"),
        (Answer(200, "text/html", b"picture"), "without credentials it answers 200 text/html"),
        (Answer(200, "image/png", b"another"), "it is another picture"),
    ],
)
def test_anyone_must_read_the_very_picture(answer: Answer, trouble: str | None) -> None:
    if trouble is None:
        assert "anyone reads it at http://s3.test/a" in post._read_by_anyone(
            media(answer), "http://s3.test/a", b"picture"
        )
    else:
        with pytest.raises(LabError, match=trouble):
            post._read_by_anyone(media(answer), "http://s3.test/a", b"picture")


class Socket(websocket.WebSocket):
    """A socket that has received some frames."""

    def __init__(self, *frames: str) -> None:
        super().__init__()
        self._frames = list(frames)

    def recv(self) -> str:
        if not self._frames:
            raise websocket.WebSocketTimeoutException("timed out")
        return self._frames.pop(0)


def frame(event: str, number: str) -> str:
    return json.dumps({"stream": ["user"], "event": event, "payload": json.dumps({"id": number})})


def test_other_frames_are_passed_over() -> None:
    post._await_post(Socket(frame("update", "6"), frame("notification", "7"), frame("update", "7")), "7")


@pytest.mark.parametrize("frames", [(), (frame("update", "6"),), ("",)])
def test_a_post_that_does_not_come_is_reported(frames: tuple[str, ...]) -> None:
    with pytest.raises(LabError, match="Status 7: streaming has not delivered it"):
        post._await_post(Socket(*frames), "7")


def test_the_picture_is_a_png_and_never_the_same() -> None:
    picture = post.png()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    (length,) = struct.unpack(">I", picture[33:37])
    assert len(zlib.decompress(picture[41 : 41 + length])) == height * (1 + 3 * width)
    assert len({post.png() for _again in range(20)}) > 10
