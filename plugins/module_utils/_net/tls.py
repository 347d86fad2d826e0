# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS over a connection that is open, and what the other side showed of itself."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from functools import cache

# By the names that people call them.
VERSIONS = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}


@cache
def trust_in_nothing(version: str = "") -> ssl.SSLContext:
    """Return what is used to look at a server that nobody vouches for, by one version of TLS if any is named. Nothing may be sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def secured(link: socket.socket, host: str, context: ssl.SSLContext, until: float) -> ssl.SSLSocket:
    """Return the connection with TLS on it; until a moment of the monotonic clock. Raises OSError, and closes it then."""
    try:
        # The handshake as a whole takes no longer than one time-out: https://docs.python.org/3/library/ssl.html#ssl.SSLSocket.do_handshake
        link.settimeout(max(until - time.monotonic(), 0.001))
        return context.wrap_socket(link, server_hostname=host)
    except (OSError, ValueError) as error:
        link.close()
        # What is wrong with a certificate is both.
        if isinstance(error, OSError):
            raise
        # A name that no certificate can be for.
        raise ssl.SSLError(str(error)) from error


def chain_of(link: ssl.SSLSocket) -> Sequence[bytes]:
    """Return the certificates that the other side sent, its own first, as DER; only its own where Python does not show the others.

    Public since Python 3.13, and before that a method of the object below: https://github.com/python/cpython/issues/62433
    """
    if public := getattr(link, "get_unverified_chain", None):
        return [bytes(one) for one in public()]
    inner = getattr(link, "_sslobj", None)
    if hidden := getattr(inner, "get_unverified_chain", None):
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in hidden() or ()]
    own = link.getpeercert(binary_form=True)
    return [own] if own else []
