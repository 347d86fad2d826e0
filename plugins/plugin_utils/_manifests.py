# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests from a URL or a file on the controller. This plugin util is PRIVATE to the collection."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# The largest known set of CRDs has a tenth of this, in bytes.
_LARGEST = 64 * 1024 * 1024
_SECONDS = 60


def content(manifest: Mapping[str, str | None], path: str | None) -> str:
    """Return the text of one entry of the option `manifests`; `path` is where its file was found.

    Raises MastodonError when it can't be had, or is not what its checksum says.
    """
    url = manifest.get("url")
    source = f"Manifest {url or path}"
    data = _download(url, source) if url else _read(path or "", source)
    expected = (manifest.get("checksum") or "").removeprefix("sha256:").lower()
    found = hashlib.sha256(data).hexdigest()
    if expected and expected != found:
        raise MastodonError(source, "is not the expected file", f"its sha256 is {found}", "Check source and checksum.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MastodonError(source, "is not text", str(error.reason), "Check the address.") from error


def _read(path: str, source: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MastodonError(source, "cannot be read", error.strerror or "", "Check its owner and mode.") from error


def _download(url: str, source: str) -> bytes:
    if urlsplit(url).scheme not in ("http", "https"):
        raise MastodonError(source, "cannot be fetched", "it is neither http nor https", "Use path for a file.")
    try:
        # Proxies are taken from the environment, which is the task's.
        with open_url(url, timeout=_SECONDS) as response:
            data: bytes = response.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        code = f"{error.code} " if isinstance(error, urllib.error.HTTPError) else ""
        raise MastodonError(source, "cannot be fetched", f"{code}{reason}", "Check the address and proxy.") from error
    if len(data) > _LARGEST:
        raise MastodonError(source, "is too large", f"more than {_LARGEST} bytes", "Check the address.")
    return data
