# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another place that opens connections for us says when it cannot, as if we were there."""

from __future__ import annotations

import errno
import os

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

_CODES = {
    **{os.strerror(code): code for code in errno.errorcode},
    # The words of musl, the BSDs and macOS.
    "Address family not supported by protocol family": errno.EAFNOSUPPORT,
    "Address not available": errno.EADDRNOTAVAIL,
    "Can't assign requested address": errno.EADDRNOTAVAIL,
    "Host is unreachable": errno.EHOSTUNREACH,
    "Network unreachable": errno.ENETUNREACH,
    "Operation timed out": errno.ETIMEDOUT,
}


class NotOpenedError(MastodonError):
    """The other place may open no connections for us, or is not there any more."""


def failure(words: str) -> OSError:
    """Return what a connection that failed there would have raised here."""
    return OSError(_CODES[words], os.strerror(_CODES[words])) if words in _CODES else OSError(words)
