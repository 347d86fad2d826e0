# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong when people type or paste a secret."""

from __future__ import annotations


def flaw(value: object) -> str:
    """Return what no password, key or token has, without showing it, or an empty text.

    A line break at the end is what `echo` and editors leave; in a header it ends the request with an error that shows all of it:
    https://github.com/cert-manager/cert-manager/issues/2384
    """
    if not isinstance(value, str):
        return "it is not text, but a number, a list or the like"
    if value != value.strip():
        return "it begins or ends with a blank or a line break"
    return "" if value.isprintable() else "there is a line break or another control character in it"


def header_flaw(value: str) -> str:
    """Return what cannot be in a header of a request, without showing it, or an empty text."""
    return flaw(value) or ("" if value.isascii() else "there is a character in it that is not ASCII")
