# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file from the web."""

from __future__ import annotations

import http.client
import urllib.error
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# In bytes: the largest known set of CRDs has a tenth of this.
_LARGEST = 64 * 1024 * 1024
_SECONDS = 60


def fetch(url: str, source: str, *, moves: bool) -> bytes:
    """Return what an address serves. Where it `moves` to is followed only when asked. Raises MastodonError."""
    # Without a checksum, what another address serves in place of this one would be applied, whoever that is.
    if urlsplit(url).scheme not in ("http", "https"):
        raise MastodonError(source, "cannot be fetched", "it is neither http nor https", "Use path for a file.")
    # Here, as it takes longer to load than most tasks take, and most fetch nothing.
    from ansible.module_utils.urls import open_url

    try:
        # Proxies are taken from the environment, which is the task's.
        with open_url(url, timeout=_SECONDS, follow_redirects="safe" if moves else "none") as response:
            data: bytes = response.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _not_fetched(source, error) from error
    if len(data) > _LARGEST:
        raise MastodonError(source, "is too large", f"more than {_LARGEST} bytes", "Check the address.")
    return data


def _not_fetched(source: str, error: Exception) -> MastodonError:
    reason = getattr(error, "reason", None) or error
    if not isinstance(error, urllib.error.HTTPError):
        return MastodonError(source, "cannot be fetched", str(reason), "Check the address and proxy.")
    if moved := error.headers.get("Location"):
        remedy = "Give its checksum, with which a move is followed, or that address."
        return MastodonError(source, "cannot be fetched", f"it has moved to {moved}", remedy)
    return MastodonError(source, "cannot be fetched", f"{error.code} {reason}", "Check the address and proxy.")
