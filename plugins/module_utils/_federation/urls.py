# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of documents, which others write: what is none has no parts."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

_NONE = urlsplit("")


def split(url: str) -> SplitResult:
    """Return the parts of an address; all are empty where it is none, such as one with a port of letters."""
    try:
        parts = urlsplit(url)
        # They are looked at only when they are asked for.
        _looked_at = parts.port, parts.hostname
    except ValueError:
        return _NONE
    return parts


def joined(url: str, location: str) -> str:
    """Return where a redirect leads, as a whole address."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def host_of(url: str) -> str:
    """Return the host of an address, empty where there is none."""
    return split(url).hostname or ""


def is_ours(url: str) -> bool:
    """Whether an address is one that other servers ask: by https, at the port of it."""
    parts = split(url)
    return parts.scheme == "https" and parts.port in (None, 443)
