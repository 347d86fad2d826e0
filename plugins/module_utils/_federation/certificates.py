# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as they were sent: whom they are for, who signed them, and how long they are good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._net import der

# Of who has no other: https://doc.traefik.io/traefik/https/tls/#default-certificate
_DEFAULTS = ("TRAEFIK DEFAULT CERT", "Kubernetes Ingress Controller Fake Certificate")


@dataclass(frozen=True)
class Certificate:
    """What is read of one."""

    subject: str
    issuer: str
    serial: str
    names: Sequence[str]
    begins: datetime
    ends: datetime

    @property
    def is_own_issuer(self) -> bool:
        """Whether nobody else vouches for it."""
        return self.subject == self.issuer

    @property
    def is_default(self) -> bool:
        """Whether a gateway made it up, as it had none for the host."""
        return any(name in self.subject for name in _DEFAULTS)

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.ends <= now

    def left(self, now: datetime) -> timedelta:
        """How long it is still good."""
        return self.ends - now

    def is_late(self, now: datetime) -> bool:
        """Whether it should have been renewed long ago: cert-manager does so when a third of its life is left.

        https://cert-manager.io/docs/usage/certificate/#reissuance-triggered-by-expiry-renewal
        """
        return self.left(now) < (self.ends - self.begins) / 6

    def is_for(self, host: str) -> bool:
        """Whether it names a host; a star stands for one label: https://www.rfc-editor.org/rfc/rfc9525#section-6.3."""
        wild = f"*.{host.partition('.')[2]}"
        return any(name.lower().rstrip(".") in (host, wild) for name in self.names)


def read(chain: Sequence[bytes]) -> Sequence[Certificate]:
    """Return the certificates of a chain, as far as they can be read: the first ones only, as others follow from them."""
    found: list[Certificate] = []
    for one in chain:
        try:
            fields = der.certificate(one)
        except ValueError:
            break
        about = (fields.subject, fields.issuer, f"{fields.serial:x}", fields.hosts, fields.begins, fields.ends)
        found.append(Certificate(*about))
    return found


def read_pem(text: str) -> Sequence[Certificate]:
    """Return the certificates of a text, none when one of them cannot be read."""
    try:
        chain = der.pem(text)
    except ValueError:
        return ()
    found = read(chain)
    return found if len(found) == len(chain) else ()


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)
