# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server, or an admission webhook, warns of in what it takes: a schedule that means something else.

https://kubernetes.io/blog/2020/09/03/warnings/.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping

# https://www.rfc-editor.org/rfc/rfc7234#section-5.5
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


class Warnings:
    """Reports each warning once, however often it comes. Safe for threads."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._reported: set[str] = set()
        self._telling = threading.Lock()

    def report(self, headers: Mapping[str, str], about: str, *, secret: bool) -> None:
        """Say what an answer warns of. `secret` keeps out what it quotes of the object `about`."""
        for found in _WARNING.finditer(headers.get("Warning") or ""):
            text = re.sub(r"\\(.)", r"\1", found[1])
            self._once(
                f"{about}: the API server warns of its content, which is not shown" if secret else f"{about}: {text}",
                text,
            )

    def _once(self, line: str, text: str) -> None:
        with self._telling:
            if text in self._reported:
                return
            self._reported.add(text)
        self._say(f"warning: {line}")
