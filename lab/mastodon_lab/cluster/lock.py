# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One `lab/up` or `lab/down` of a lab at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


@contextmanager
def only_one(lab: Lab) -> Iterator[None]:
    """Hold the lab's lock: a name in the kernel's abstract socket namespace (unix(7)), so neither a file nor a kill
    leaves anything behind.
    """
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            lock.bind(f"\0fediverse-mastodon-lab-{lab.name}")
        except OSError:
            raise LabError(f"Another lab/up or lab/down of lab {lab.name} is running: wait until it is done.") from None
        yield
