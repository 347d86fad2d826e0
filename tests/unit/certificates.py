# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for servers of the tests, and authorities that issue them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def self_signed(host: str) -> bytes:
    """Return a key and a certificate of `host`, and of nothing else, that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + made.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Authority:
    """One that issues certificates, itself or in the name of the one above it."""

    name: str = "Some CA"
    above: Authority | None = None
    # How many days ago its own certificate begins, and in how many it ends.
    begun: float = 9
    ends: float = 30
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def subject(self) -> x509.Name:
        """How certificates name it."""
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])

    @property
    def certificate(self) -> str:
        """Its own, as PEM."""
        issuer = self.above or self
        builder = _builder(self.subject, self.key.public_key(), self.begun, self.ends)
        return _signed(builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True), issuer)

    @property
    def chain(self) -> str:
        """Its certificate, and those above but for the root."""
        return self.certificate + self.above.chain if self.above else ""

    def issue(self, *hosts: str, days: float = 1, begun: float = 1, subject: str | None = None) -> tuple[str, str]:
        """Return a certificate for these hosts, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = hosts[0] if subject is None else subject
        common = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else []
        builder = _builder(x509.Name(common), key.public_key(), begun, days).add_extension(
            _names(hosts), critical=False
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return _signed(
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True), self
        ), secret


def _names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, begun: float, days: float) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=begun))
        .not_valid_after(now + timedelta(days=days))
    )


def _signed(builder: x509.CertificateBuilder, issuer: Authority) -> str:
    made = builder.issuer_name(issuer.subject).sign(issuer.key, SHA256())
    return made.public_bytes(Encoding.PEM).decode()
