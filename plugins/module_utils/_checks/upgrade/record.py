# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the last upgrade: a ConfigMap beside the release, without anything secret."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

# Its value is the release's name.
LABEL = "fediverse.mastodon/upgrade-of"


@dataclass(frozen=True)
class Upgrade(kept.Begun):
    """From which release to which.

    `backup` is the Backup that was made before it, empty where none was; `failure` is why the last run of it stopped.
    """

    before: str = ""
    wanted: str = ""
    backup: str = ""
    seconds: str = ""
    failure: str = ""

    def line(self, ago: str = "") -> str:
        """Return what people read; `ago` is how long ago its last time is."""
        step = f"from {self.before} to {self.wanted}"
        if self.is_open:
            begun = f", begun {ago} ago," if ago else ""
            return f"upgrade {step}{begun} has not ended{f': {self.failure}' if self.failure else ''}"
        return f"upgraded {step} in {self.seconds} s{f', {ago} ago' if ago else ''}"

    @property
    def last(self) -> str:
        """Return its last time."""
        return self.ended or self.began


def place_of(namespace: str, name: str) -> kept.Place:
    """Return what keeps that of a release."""
    return kept.Place(namespace, f"{name}-upgrade", LABEL, name)


def read_all(api: Api) -> dict[tuple[str, str], Upgrade]:
    """Return the last upgrade of each release, by namespace and name."""
    found = {(namespace, name): kept.record(Upgrade, data) for namespace, name, data in kept.read_all(api, LABEL)}
    return {place: upgrade for place, upgrade in found.items() if upgrade.began}
