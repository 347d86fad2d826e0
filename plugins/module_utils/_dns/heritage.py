# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT records by which external-dns says what it wrote: https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_KIND, _KINDS = "%{record_type}", ("a", "aaaa", "cname")


def names(host: str, prefix: str = "", suffix: str = "") -> Sequence[str]:
    """Return where external-dns writes whose the records of a host are, one for each type of them.

    A suffix ends the first label: https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/#prefixes-and-suffixes
    """
    first, dot, rest = host.partition(".")
    label = first if _KIND in f"{prefix}{suffix}" else f"{_KIND}-{first}"
    return [f"{prefix}{label}{suffix}{dot}{rest}".replace(_KIND, kind) for kind in _KINDS]


def owners(records: Iterable[str]) -> dict[str, str]:
    """Return what TXT records say: owners, and the object that each wrote a record for."""
    texts = [text for text in sorted(records) if "heritage=external-dns" in text]
    return {_part(text, "owner"): _part(text, "resource") for text in texts}


def _part(text: str, key: str) -> str:
    found = re.search(rf"external-dns/{key}=([^,\"]*)", text)
    return found[1] if found else ""
