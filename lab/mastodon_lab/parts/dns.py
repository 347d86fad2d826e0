# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the lab's DNS, as a client outside the cluster: RFC 1035, one question over UDP."""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Iterator

PORT = 53
SECONDS = 2.0
ADDRESS = 1
TEXT = 16
INTERNET = 1


def address_of(name: str, server: str) -> str:
    """The first IPv4 address of `name`. Raises OSError saying why there is none."""
    for data in records(name, ADDRESS, server):
        return socket.inet_ntoa(data)
    raise OSError(f"{name} has no IPv4 address")


def texts_of(name: str, server: str) -> list[str]:
    """The first string of each TXT record of `name`. Raises OSError where the name does not exist."""
    return [data[1 : 1 + data[0]].decode() for data in records(name, TEXT, server)]


def records(name: str, kind: int, server: str) -> list[bytes]:
    """The data of each record of that kind. Raises OSError where the name does not exist or the answer is none."""
    number = secrets.randbits(16)
    query = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + wire(name) + struct.pack(">HH", kind, INTERNET)
    answer = exchange(query, server)
    try:
        answered_number, flags, _, count, _, _ = struct.unpack(">6H", answer[:12])
        if answered_number != number:
            raise OSError(f"the answer for {name} belongs to another question")
        if code := flags & 0x000F:
            raise OSError(f"there is no {name} (DNS code {code})")
        return [data for found, data in _records(answer, len(query), count) if found == kind]
    except (struct.error, IndexError) as error:
        raise OSError(f"the answer for {name} is cut short") from error


def wire(name: str) -> bytes:
    """A name as messages have it."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".")) + b"\0"


def exchange(message: bytes, server: str) -> bytes:
    """Send one message and return what comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(SECONDS)
        link.connect((server, PORT))
        link.send(message)
        return link.recv(4096)


def _records(answer: bytes, position: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Kind and data of `count` records from `position` on."""
    for _ in range(count):
        position = _behind_name(answer, position)
        kind, _, _, length = struct.unpack(">HHIH", answer[position : position + 10])
        data = answer[position + 10 : position + 10 + length]
        if len(data) < length:
            raise IndexError(position)
        yield kind, data
        position += 10 + length


def _behind_name(answer: bytes, position: int) -> int:
    """A name is labels up to an empty one, or up to a pointer of two bytes; CoreDNS writes names out in short answers."""
    while length := answer[position]:
        if length >= 0xC0:
            return position + 2
        position += 1 + length
    return position + 1
