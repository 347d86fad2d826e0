# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTPS request, sent as other servers send it: to an address, for a host by its name."""

from __future__ import annotations

import ssl
import time

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import Reply, exchange
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.tls import secured

# For all of an answer, however it comes.
_SECONDS = 30
# Of a page only its beginning says what it is.
_LONGEST = 1 << 20
# Who a certificate is of is not known here: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})


# Whom to believe who a server is.
Trust = ssl.SSLContext


_HEADERS = {"User-Agent": "fediverse.mastodon", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}


def get(dial: Dial, host: str, path: str, trust: Trust) -> Reply:
    """Ask once; no redirect is followed. Raises OSError when nothing that is trusted for this host answers in HTTP."""
    until = time.monotonic() + _SECONDS
    with secured(dial(), host, trust, until) as link:
        return exchange(link, f"GET {path} HTTP/1.1", {"Host": host, **_HEADERS}, b"", until, _LONGEST)


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
