# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab/down`: end the lab and leave nothing of it on the host but its state, or not even that."""

from __future__ import annotations

import shutil
from pathlib import Path

from mastodon_lab.cluster import cgroups, network, process
from mastodon_lab.cluster.lock import only_one
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.progress import Progress


def down(lab: Lab, progress: Progress, *, purge: bool, purge_cache: bool) -> None:
    """End every process of the lab and remove interface, route and cgroups; `purge` also removes the state."""
    with only_one(lab):
        with progress.step(f"stop lab {lab.name}"):
            if init := process.find(lab):
                process.stop(init)
                network.disconnect(lab)
            cgroups.remove(lab)
        for folder, wanted in ((lab.state, purge), (lab.cache, purge_cache)):
            if wanted and folder.exists():
                _refuse_foreign(lab, folder)
                shutil.rmtree(folder)
                progress.note(f"removed {folder}")


def _refuse_foreign(lab: Lab, folder: Path) -> None:
    """A mistyped LAB_STATE or LAB_CACHE must not cost anyone their files."""
    ours = lab.made if folder == lab.state else lab.mirror
    if not ours.exists():
        raise LabError(f"{folder} doesn't look like the lab's ({ours.name} is missing in it): remove it yourself.")
