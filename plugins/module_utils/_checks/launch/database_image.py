# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the database that is there may run by another image now: a newer patch of its major may, once it is backed up.

Another major is imported into a new Cluster, which playbook `database_major` does; by the image alone only where that is accepted by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.generation import IMPORT
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import gate
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# Of the Debian that an image is made of: https://github.com/cloudnative-pg/postgres-containers#image-tags
_DISTRIBUTION = re.compile(r"-(bullseye|bookworm|trixie|forky)$")
_MAJOR = re.compile(r"^\d+")


@dataclass(frozen=True)
class Change:
    """Of which Cluster, as it is now, and by which image it is to run."""

    cluster: Object
    wanted: str

    @classmethod
    def of(cls, scene: Scene) -> Change | None:
        """Return what the settings would change, None for nothing, and for a database that is not there or not made here."""
        store = scene.parameters["postgresql"] or {}
        namespace, _unused, name = str(store.get("cluster", "")).partition("/")
        wanted = str(store.get("image", ""))
        cluster = scene.view.one(kinds.DATABASE, name, namespace) if name and wanted else {}
        return cls(cluster, wanted) if at(cluster, "spec.imageName", wanted) != wanted else None

    @property
    def running(self) -> str:
        """Return the image that it was given before."""
        return str(at(self.cluster, "spec.imageName", ""))

    @property
    def is_up(self) -> bool:
        """Return whether anything of it runs: of one of which nothing does the image may be what is wrong."""
        return bool(at(self.cluster, "status.readyInstances", 0) > 0)

    @property
    def subject(self) -> str:
        """Return how errors call it."""
        metadata = self.cluster["metadata"]
        return f"Cluster {metadata['namespace']}/{metadata['name']}"

    def __str__(self) -> str:
        """Return what is about to happen, in the order in which CloudNativePG does it.

        https://cloudnative-pg.io/documentation/current/rolling_update/
        """
        primary = str(at(self.cluster, "status.currentPrimary", ""))
        replicas = sorted({*at(self.cluster, "status.instanceNames", [])} - {primary}, reverse=True)
        first = f"replaces {', then '.join(replicas)}, and last " if replicas else "starts anew "
        order = f"CloudNativePG {first}{primary or 'its primary'}, {'the primary' if replicas else 'its only instance'}"
        return f"{self.subject} goes from {self.running} to {self.wanted}: {order}, which lets nobody new in for up to three minutes before it does"


def problems(scene: Scene, change: Change, now: datetime) -> Iterator[MastodonError]:
    """Yield what speaks against it."""
    accepted = scene.parameters["accepted"]
    before, after = major_of(change.running), major_of(change.wanted)
    if before and after and after < before:
        why, remedy = f"its data is of {before}", f"Set cnpg_cluster_image to one of PostgreSQL {before}."
        yield MastodonError(change.subject, f"cannot go back to PostgreSQL {after}", why, remedy)
        return
    is_major = bool(before and after > before)
    if is_major and f"postgresql:{after}" not in accepted:
        yield MastodonError(
            change.subject,
            f"is PostgreSQL {before}, and its image would make it {after}",
            "CloudNativePG would stop every instance and rewrite the data, past which nothing of before can be restored",
            f"Run {IMPORT}, which imports it into a new Cluster and keeps this one; or set cnpg_cluster_image to one of PostgreSQL {before}; "
            f"or read docs/upgrade.md, and set mastodon_upgrade_accept to [postgresql:{after}].",
        )
    yield from _sorted_otherwise(change, accepted)
    if change.is_up:
        yield from gate.backed_up(scene, now, ["postgresql:unrehearsed"] if is_major else None)


def major_of(image: str) -> int:
    """Return which PostgreSQL an image is by its tag, zero for one that does not say."""
    return int(_found(_MAJOR, image) or 0)


def _sorted_otherwise(change: Change, accepted: list[str]) -> Iterator[MastodonError]:
    """Yield that another C library may sort text otherwise: https://wiki.postgresql.org/wiki/Locale_data_changes."""
    before, after = (_found(_DISTRIBUTION, image).lstrip("-") for image in (change.running, change.wanted))
    if before and after and before != after and f"postgresql:{after}" not in accepted:
        yield MastodonError(
            change.subject,
            f"is made of Debian {before}, and would be of {after}",
            "its C library may sort text otherwise, and indexes that were made before it no longer find what they hold",
            f"Set cnpg_cluster_image to one of {before}; or set mastodon_upgrade_accept to [postgresql:{after}], and run REINDEX DATABASE in it "
            "right afterwards.",
        )


def _found(pattern: re.Pattern[str], image: str) -> str:
    """Return what a pattern finds in the tag of an image, empty for nothing, and for one that has no tag."""
    _name, _unused, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    found = pattern.search(tag)
    return found[0] if found else ""
