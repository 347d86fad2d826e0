# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates are read as cryptography reads them, and whatever is none is refused by one kind of error."""

from __future__ import annotations

import random
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import der
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority, self_signed
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

OID = x509.NameOID
ODD = 'a "quoted", <odd>; one+more\\ = #1'
NAMES = (
    [],
    [(OID.COMMON_NAME, "example.org")],
    [(OID.COUNTRY_NAME, "US"), (OID.ORGANIZATION_NAME, "Let's Encrypt"), (OID.COMMON_NAME, "E7")],
    [(OID.DOMAIN_COMPONENT, "org"), (OID.USER_ID, "u"), (OID.STREET_ADDRESS, "s"), (OID.LOCALITY_NAME, "l")],
    [(OID.STATE_OR_PROVINCE_NAME, "st"), (OID.ORGANIZATIONAL_UNIT_NAME, "ou"), (OID.COMMON_NAME, ODD)],
    [(OID.COMMON_NAME, "#1")],
    [(OID.COMMON_NAME, " both ends ")],
    [(OID.COMMON_NAME, "Ünïcode 🐘")],
    [(OID.EMAIL_ADDRESS, "admin@example.org"), (OID.SERIAL_NUMBER, "7")],
)
TIMES = (
    datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 1, 2, tzinfo=UTC),
    datetime(2051, 1, 1, tzinfo=UTC),
)


def made(
    name: list[tuple[x509.ObjectIdentifier, str]], ends: datetime, *, serial: int = 7, hosts: bool = True
) -> bytes:
    """Return a certificate of this name."""
    subject = x509.Name([x509.NameAttribute(*one) for one in name])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        subject, subject, key.public_key(), serial, datetime(1980, 1, 1, tzinfo=UTC), ends
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    if hosts:
        names = [x509.DNSName("example.org"), x509.RFC822Name("a@example.org"), x509.DNSName("*.example.org")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def as_others(one: bytes) -> der.Fields:
    """Return what cryptography reads."""
    found = x509.load_der_x509_certificate(one)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        hosts = []
    return der.Fields(
        found.serial_number,
        found.issuer.rfc4514_string(),
        found.subject.rfc4514_string(),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        hosts,
    )


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_names_are_written_as_cryptography_writes_them(number: int) -> None:
    one = made(NAMES[number], TIMES[1])
    assert der.certificate(one) == as_others(one)


@pytest.mark.parametrize("ends", TIMES)
def test_times_before_and_after_2050_are_read(ends: datetime) -> None:
    one = made(NAMES[1], ends, serial=2**150 + 3, hosts=False)
    assert der.certificate(one) == as_others(one)
    assert der.certificate(one).ends == ends


def test_the_worlds_authorities_are_read() -> None:
    path = Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt")
    if not path.exists():
        pytest.skip(f"left out: {path} is not there")
    known = der.pem(path.read_text())
    assert len(known) > 50
    for one in known:
        found, wanted = der.certificate(one), as_others(one)
        assert (found.serial, found.begins, found.ends) == (wanted.serial, wanted.begins, wanted.ends)
        assert found.subject == wanted.subject
        assert (found.subject == found.issuer) == (wanted.subject == wanted.issuer)


def test_a_chain_is_read_out_of_a_text() -> None:
    authority = Authority()
    text, _key = authority.issue("example.org")
    both = der.pem(f"Something else\n{text}\n{authority.certificate}")
    assert [der.certificate(one).subject for one in both] == ["CN=example.org", "CN=Some CA"]
    assert [der.certificate(one).hosts for one in der.pem(self_signed("example.net").decode())] == [["example.net"]]
    assert der.pem("nothing") == []


@pytest.mark.parametrize("text", ["-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"])
def test_a_text_that_is_no_pem_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is not PEM"):
        der.pem(text)


def test_whatever_is_no_certificate_is_refused_by_one_kind_of_error() -> None:
    one = made(NAMES[4], TIMES[1])
    chance = random.Random(7)
    spoiled = [one[:length] for length in range(len(one))]
    for _each in range(5000):
        changed = bytearray(one)
        for _unused in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        spoiled.append(bytes(changed))
    refused = 0
    for each in spoiled:
        try:
            der.certificate(each)
        except ValueError:
            refused += 1
    assert refused > len(one)


def value(tag: int, *parts: bytes) -> bytes:
    """Return one value of a certificate that somebody writes by hand."""
    content = b"".join(parts)
    return bytes([tag, 0x84]) + len(content).to_bytes(4, "big") + content


def by_hand(kind: bytes, extensions: bytes = b"") -> bytes:
    """Return a certificate, of whom it is by an attribute of this kind."""
    algorithm, bits, when = value(0x30, value(0x06, b"*")), value(0x03, b"\0\0"), value(0x17, b"260101000000Z")
    name = value(0x30, value(0x31, value(0x30, value(0x06, kind), value(0x0C, b"a"))))
    inside = [value(0x02, b"\7"), algorithm, name, value(0x30, when, when), name, value(0x30, algorithm, bits)]
    return value(0x30, value(0x30, *inside, extensions), algorithm, bits)


def test_a_certificate_that_is_written_by_hand_is_one() -> None:
    assert der.certificate(by_hand(b"\x55\x04\x03")).subject == "CN=a"


@pytest.mark.parametrize(
    "one",
    [
        by_hand(b"\xff" * 500_000 + b"\1"),
        by_hand(b"\x55\x04\x03", value(0xA3, value(0x30, b"\x05\0" * 500_000))),
        by_hand(b"\x55\x04\x03", value(0xA3, b"\x05\0" * 500_000)),
    ],
    ids=["a number without an end", "extensions without an end", "nothing without an end"],
)
def test_no_certificate_takes_long_to_read(one: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="it "):
        der.certificate(one)
    # For a megabyte, of which a handshake takes a tenth.
    assert time.process_time() - began < 5
