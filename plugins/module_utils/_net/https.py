# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS request, sent as other servers send it: to an address, for a host by its name."""

from __future__ import annotations

import http.client
import ssl
from contextlib import closing
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watched, within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial

# Opens a socket to whatever answers for the host.
_SECONDS = 15
_WHOLE_SECONDS = 60
# Of a page only its beginning says what it is.
_LONGEST = 1 << 20
# Who a certificate is of is not known here: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})


# Whom to believe who a server is.
Trust = ssl.SSLContext


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    location: str
    body: bytes

    def __str__(self) -> str:
        """Return how sentences call it."""
        return f"{self.status} {self.reason}".rstrip()


def get(dial: Dial, host: str, path: str, trust: Trust) -> Answer:
    """Ask once; no redirect is followed. Raises OSError when nothing that is trusted for this host answers in HTTP."""
    # Of the plain kind, as the one with TLS would make a trust of its own.
    connection = http.client.HTTPConnection(host)
    with within(_WHOLE_SECONDS), closing(connection):
        plain = watched(dial())
        try:
            plain.settimeout(_SECONDS)
            connection.sock = trust.wrap_socket(plain, server_hostname=host)
            connection.request("GET", path, headers={"User-Agent": "fediverse.mastodon", "Accept": "*/*"})
            answer = connection.getresponse()
            location = answer.headers.get("Location", "")
            return Answer(answer.status, answer.reason, location, answer.read(_LONGEST))
        except (http.client.HTTPException, OverflowError) as error:
            raise OSError(f"its answer is not HTTP: {type(error).__name__}") from error
        finally:
            plain.close()


def is_about_tls(error: OSError) -> bool:
    """Whether somebody answered, and cannot be trusted or understood."""
    return isinstance(error, ssl.SSLError)


def trust_in(*certificates: str) -> Trust:
    """Return trust in what this machine trusts, and in these certificates, of which each is enough: chains end below their root."""
    trust = ssl.create_default_context()
    for certificate in certificates:
        trust.load_verify_locations(cadata=certificate)
        trust.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        # Private authorities leave out some of what RFC 5280 asks of them.
        trust.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return trust


def is_of_unknown_issuer(error: OSError) -> bool:
    """Whether a certificate may be right in all but who issued it."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in _UNKNOWN_ISSUER


def reason(error: OSError) -> str:
    """Return what went wrong, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    return str(error.strerror or error)
