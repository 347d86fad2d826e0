# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the lab's DNS, as a client outside the cluster: RFC 1035, one question for an A record over UDP."""

from __future__ import annotations

import secrets
import socket
import struct

PORT = 53
SECONDS = 2.0
_QUESTION_A_IN = struct.pack(">HH", 1, 1)


def address_of(name: str, server: str) -> str:
    """The first IPv4 address of `name`. Raises OSError saying why there is none."""
    number = secrets.randbits(16)
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"
    query = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + question + _QUESTION_A_IN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(SECONDS)
        link.connect((server, PORT))
        link.send(query)
        answer = link.recv(4096)
    try:
        return _first_address(answer, number, len(query), name)
    except (struct.error, IndexError) as error:
        raise OSError(f"the answer for {name} is cut short") from error


def _first_address(answer: bytes, number: int, asked: int, name: str) -> str:
    answered_number, flags, _, answers, _, _ = struct.unpack(">6H", answer[:12])
    if answered_number != number:
        raise OSError(f"the answer for {name} belongs to another question")
    if flags & 0x000F:
        raise OSError(f"there is no {name} (DNS code {flags & 0x000F})")
    position = asked
    for _ in range(answers):
        position = _behind_name(answer, position)
        kind, _, _, length = struct.unpack(">HHIH", answer[position : position + 10])
        if kind == 1:
            return socket.inet_ntoa(answer[position + 10 : position + 10 + length])
        position += 10 + length
    raise OSError(f"{name} has no IPv4 address")


def _behind_name(answer: bytes, position: int) -> int:
    """A name is labels up to an empty one, or up to a pointer of two bytes; CoreDNS writes names out in short answers."""
    while length := answer[position]:
        if length >= 0xC0:
            return position + 2
        position += 1 + length
    return position + 1
