# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node in the lab's own namespaces: how those are started, found and ended."""

from __future__ import annotations

from pathlib import Path

from mastodon_lab.cluster import cgroups, process
from mastodon_lab.lab import Lab


class Namespaced:
    """The part of a Node that such ways share."""

    def refuse(self) -> None:
        pass

    def running(self, lab: Lab) -> bool:
        return process.find(lab) is not None

    def start(self, lab: Lab, kind: Path | None) -> int:
        init = process.find(lab)
        if init is None:
            cgroups.make(lab)
            return process.start(lab).pid
        process.reload(init)
        return init.pid

    def stop(self, lab: Lab) -> None:
        if init := process.find(lab):
            process.stop(init)
        cgroups.remove(lab)

    def remove(self, lab: Lab) -> None:
        pass
