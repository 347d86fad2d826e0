# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab/down`: end the lab and leave nothing of it on the host but its state, or not even that."""

from __future__ import annotations

import shutil
from pathlib import Path

from mastodon_lab.build.store import BUILD_LOCK
from mastodon_lab.cluster import disk, network, node
from mastodon_lab.cluster.lock import only_one
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.progress import Progress

# What is first in a cache: of builds, and of Python environments (lab/python.sh).
MARKS = (BUILD_LOCK, "python/lock")


def down(lab: Lab, progress: Progress, *, purge_state: bool, purge_cache: bool) -> None:
    """End every process of the lab and remove interface, route, cgroups and disk; on demand also state and cache."""
    with only_one(lab):
        if lab.made.exists():
            with progress.step(f"stop lab {lab.name}"):
                _stop(lab)
            if purge_state:
                node.of(lab).remove(lab)
                _remove(lab.state, progress)
        else:
            progress.note(f"there is no lab in {lab.state}")
        if purge_cache and lab.cache.exists():
            _refuse_foreign(lab.cache)
            _remove(lab.cache, progress)


def _stop(lab: Lab) -> None:
    way = node.of(lab)
    ran = way.running(lab)
    way.stop(lab)
    # Of a lab that is ended already the interface may be another one's of its index.
    if ran:
        network.disconnect(lab)
    disk.detach(lab)


def _remove(folder: Path, progress: Progress) -> None:
    shutil.rmtree(folder)
    progress.note(f"removed {folder}")


def _refuse_foreign(folder: Path) -> None:
    """A mistyped LAB_CACHE must not cost anyone their files."""
    if not any((folder / mark).exists() for mark in MARKS):
        raise LabError(f"{folder} doesn't look like the lab's ({BUILD_LOCK} is missing in it): remove it yourself.")
