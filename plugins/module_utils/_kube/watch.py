# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a watch sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked, parsed

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    from urllib3.exceptions import HTTPError


class Stream:
    """The lines of one watch, as dicts. `stop` may be called from another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield until the server ends the watch, the connection breaks or `stop` is called."""
        rest = b""
        with suppress(HTTPError, OSError, ValueError, WrongShapeError):
            for chunk in self._response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield checked(parsed(line), kind=dict)
        self._response.close()

    def stop(self) -> None:
        """End the iteration in whichever thread it runs."""
        # Already ended otherwise.
        with suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()
