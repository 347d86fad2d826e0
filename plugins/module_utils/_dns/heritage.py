# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT records by which external-dns says what it wrote: https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_KINDS = ("A", "AAAA", "CNAME")


def names(prefix: str, host: str) -> Sequence[str]:
    """Return where external-dns writes whose the records of a host are, one for each type of them.

    https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/#prefixes-and-suffixes
    """
    if "%{record_type}" in prefix:
        return [f"{prefix.replace('%{record_type}', kind.lower())}{host}" for kind in _KINDS]
    return [f"{prefix}{kind.lower()}-{host}" for kind in _KINDS]


def owners(records: Iterable[str]) -> dict[str, str]:
    """Return what TXT records say: owners, and the object that each wrote a record for."""
    texts = [text for text in sorted(records) if "heritage=external-dns" in text]
    return {_part(text, "owner"): _part(text, "resource") for text in texts}


def _part(text: str, key: str) -> str:
    found = re.search(rf"external-dns/{key}=([^,\"]*)", text)
    return found[1] if found else ""
