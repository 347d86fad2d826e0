# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes to speak to an API server, wherever it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# What would end a header's line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class AccessError(Exception):
    """Why a kubeconfig or a service account cannot be used, as a clause and without any of its credentials."""


@dataclass(frozen=True)
class Identity:
    """A client certificate and its key, both in PEM."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Access:
    """One API server and one user of it.

    `authority` is in PEM; without it the system's certificates are trusted. `headers` returns the current credentials,
    of which one name may come several times, and raises AccessError when there are none to be had.
    """

    server: str
    headers: Callable[[], Mapping[str, str]]
    authority: str | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    identity: Identity | None = None


def text_of(file: Path, called: str) -> str:
    """Return what a file holds, without the line's end. `called` names it in errors. Raises AccessError."""
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"{called}: {getattr(error, 'strerror', 'not a text file')}") from error


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token. Raises AccessError for what is none."""
    return {"authorization": f"Bearer {header_value(token, 'its token')}"}


def header_value(text: str, called: str) -> str:
    """Return a text as a header may carry it: as UTF-8, whose bytes http.client takes for those of Latin 1.

    Raises AccessError, which names it as `called` and does not show it.
    """
    if _CONTROL.search(text):
        raise AccessError(f"{called} holds a line break or another control character")
    return text.encode().decode("latin-1")
