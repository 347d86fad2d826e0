# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate says, of which Python's own library reads none that it does not trust.

DER is ITU-T X.690; a certificate is https://www.rfc-editor.org/rfc/rfc5280#section-4.1, and how a name is written
https://www.rfc-editor.org/rfc/rfc4514. All of it is hostile: whatever is not as it must be raises ValueError, soon.

Why no library does it: cryptography is compiled, and the program without Ansible runs where it is not installed. asn1crypto 1.5.1 is of 2022,
has no types, and spends seconds on a number without an end. pyasn1 0.6 has none of its own either, takes six times as long, and its classes of
a certificate are 13,000 lines, after which names and times would still have to be written here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x30, 0x31
_UTC_TIME, _TIME = 0x17, 0x18
# In a certificate: its version, and its extensions.
_VERSION, _EXTENSIONS = 0xA0, 0xA3
# Among the names that it is for: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
_DNS_NAME, _ALTERNATIVE_NAMES = 0x82, "2.5.29.17"
_LETTERS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
}
_LETTERS |= {0x1E: "utf-16-be"}
_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
# In bytes; as much as cryptography takes: https://github.com/alex/rust-asn1/blob/main/src/object_identifier.rs
_LONGEST_OID = 63
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Value:
    """One value: what kind it is of, and its content."""

    tag: int
    content: bytes

    def parts(self, *tags: int) -> Sequence[Value]:
        """Return the values in it, of which the first are of these kinds."""
        found = values(self.content)
        if [one.tag for one in found[: len(tags)]] != list(tags):
            raise ValueError("it is made of something else")
        return found


@dataclass(frozen=True)
class Fields:
    """What is read of a certificate. Names are as RFC 4514 writes them, and `hosts` those that it is for."""

    serial: int
    issuer: str
    subject: str
    begins: datetime
    ends: datetime
    hosts: Sequence[str]


def values(data: bytes) -> list[Value]:
    """Return the values that follow each other."""
    found: list[Value] = []
    begin = 0
    while begin < len(data):
        content, end = _ends(data, begin)
        if len(data) < end:
            raise ValueError("it is cut off")
        found.append(Value(data[begin], data[content:end]))
        begin = end
    return found


def _ends(data: bytes, begin: int) -> tuple[int, int]:
    """Return where the content of a value begins, and where it ends."""
    head = data[begin : begin + 2]
    # Kinds of more than one byte are in no certificate.
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise ValueError("it does not begin as DER does")
    content = begin + 2
    if head[1] < 0x80:
        return content, content + head[1]
    size = head[1] & 0x7F
    if not 1 <= size <= 4 or len(data) < content + size:
        raise ValueError("its length is none")
    return content + size, content + size + int.from_bytes(data[content : content + size], "big")


def certificate(der: bytes) -> Fields:
    """Return what a certificate says. Raises ValueError."""
    (outer,) = values(der)
    (signed, *_signature) = outer.parts(_SEQUENCE)
    inside = values(signed.content)
    # The first version has no number.
    rest = inside[1:] if inside and inside[0].tag == _VERSION else inside
    if [one.tag for one in rest[:6]] != [_INTEGER, *[_SEQUENCE] * 5]:
        raise ValueError("it is no certificate")
    serial, _algorithm, issuer, validity, subject, _key = rest[:6]
    begins, ends = map(_time, values(validity.content))
    hosts = _hosts([one for one in rest if one.tag == _EXTENSIONS])
    number = int.from_bytes(serial.content, "big", signed=True)
    return Fields(number, _name(issuer), _name(subject), begins, ends, hosts)


def pem(text: str) -> Sequence[bytes]:
    """Return the certificates of a text. Raises ValueError."""
    try:
        return [base64.b64decode("".join(one.split()), validate=True) for one in _PEM.findall(text)]
    except binascii.Error as error:
        raise ValueError("it is not PEM") from error


def _time(value: Value) -> datetime:
    text = value.content.decode("ascii")
    # Years of two digits: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5.1
    if value.tag == _UTC_TIME and re.fullmatch(r"\d{12}Z", text):
        text = f"{19 if text >= '5' else 20}{text}"
    elif value.tag != _TIME or not re.fullmatch(r"\d{14}Z", text):
        raise ValueError("it has no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _hosts(extensions: Sequence[Value]) -> Sequence[str]:
    found: list[str] = []
    for outer in extensions:
        (all_of_them,) = outer.parts(_SEQUENCE)
        for extension in values(all_of_them.content):
            kind, *_critical, content = extension.parts(_OID)
            if _dotted(kind.content) == _ALTERNATIVE_NAMES and content.tag == _OCTETS:
                (names,) = Value(_OCTETS, content.content).parts(_SEQUENCE)
                found += [one.content.decode("ascii") for one in values(names.content) if one.tag == _DNS_NAME]
    return found


def _name(name: Value) -> str:
    """Return a name as it is written: what is said last comes first."""
    return ",".join("+".join(map(_attribute, part.parts(_SEQUENCE))) for part in reversed(values(name.content)))


def _attribute(pair: Value) -> str:
    kind, value = pair.parts(_OID)
    if value.tag not in _LETTERS:
        raise ValueError("it has a name of no letters")
    oid = _dotted(kind.content)
    return f"{_ATTRIBUTES.get(oid, oid)}={_escaped(value.content.decode(_LETTERS[value.tag]))}"


def _escaped(text: str) -> str:
    text = re.sub(r'([\\"+,;<>])', r"\\\1", text).replace("\0", "\\00")
    text = f"\\{text}" if text.startswith(("#", " ")) else text
    return f"{text[:-1]}\\ " if text.endswith(" ") and len(text) > 1 else text


def _dotted(content: bytes) -> str:
    if not 1 <= len(content) <= _LONGEST_OID or content[-1] >= 0x80:
        raise ValueError("it has a number that is none")
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
