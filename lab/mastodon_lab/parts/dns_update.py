# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a zone as external-dns and cert-manager do: RFC 2136, signed as in RFC 8945 with HMAC-SHA256."""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
import time
from base64 import b64decode
from dataclasses import dataclass

from mastodon_lab.parts.dns import ADDRESS, INTERNET, TEXT, exchange, wire

ALGORITHM = "hmac-sha256"
# What a server says of an update: RFC 2136 section 2.2. NOTAUTH is also its answer to a wrong key.
DONE, REFUSED, NOT_AUTHORISED = 0, 5, 9
TTL = 5
FUDGE_SECONDS = 300
_SOA, _TSIG = 6, 250
_ANY_CLASS = 255
_UPDATE = 5 << 11


@dataclass(frozen=True)
class Key:
    """A TSIG key; `secret` is in base64."""

    name: str
    secret: str


@dataclass(frozen=True)
class Record:
    name: str
    kind: int
    data: bytes

    @classmethod
    def address(cls, name: str, ip: str) -> Record:
        return cls(name, ADDRESS, socket.inet_aton(ip))

    @classmethod
    def text(cls, name: str, value: str) -> Record:
        return cls(name, TEXT, bytes([len(value)]) + value.encode())


def add(server: str, zone: str, key: Key | None, record: Record) -> int:
    """Add a record, unsigned without a key. The server's code."""
    return _send(server, _message(zone, _added(record)), key)


def delete(server: str, zone: str, key: Key, record: Record) -> int:
    """Delete all records of this one's name and kind. The server's code."""
    gone = wire(record.name) + struct.pack(">HHIH", record.kind, _ANY_CLASS, 0, 0)
    return _send(server, _message(zone, gone), key)


def _added(record: Record) -> bytes:
    return wire(record.name) + struct.pack(">HHIH", record.kind, INTERNET, TTL, len(record.data)) + record.data


def _message(zone: str, change: bytes) -> bytes:
    header = struct.pack(">6H", secrets.randbits(16), _UPDATE, 1, 0, 1, 0)
    return header + wire(zone) + struct.pack(">HH", _SOA, INTERNET) + change


def _send(server: str, message: bytes, key: Key | None) -> int:
    """The code that the answer bears. Its own signature is not checked: nobody else is on the lab's network."""
    answer = exchange(signed(message, key, int(time.time())) if key else message, server)
    if answer[:2] != message[:2] or len(answer) < 4:
        raise OSError("the answer to an update belongs to another one")
    return answer[3] & 0x0F


def signed(message: bytes, key: Key, now: int) -> bytes:
    """The message with its signature as one more record; `now` is in seconds since 1970."""
    name, algorithm = wire(key.name), wire(ALGORITHM)
    moment = now.to_bytes(6, "big") + struct.pack(">H", FUDGE_SECONDS)
    variables = name + struct.pack(">HI", _ANY_CLASS, 0) + algorithm + moment + struct.pack(">HH", 0, 0)
    code = hmac.digest(b64decode(key.secret), message + variables, "sha256")
    data = algorithm + moment + struct.pack(">H", len(code)) + code + message[:2] + struct.pack(">HH", 0, 0)
    (others,) = struct.unpack(">H", message[10:12])
    counted = message[:10] + struct.pack(">H", others + 1) + message[12:]
    return counted + name + struct.pack(">HHIH", _TSIG, _ANY_CLASS, 0, len(data)) + data
