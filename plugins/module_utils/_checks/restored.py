# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a database that was restored for good, beside its Cluster. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.kept import Place

# Its value is the Cluster's name.
_LABEL = "fediverse.mastodon/restored"


@dataclass(frozen=True)
class Restored:
    """When it was read through, from which server's backup and for which Cluster, by its uid, as others of its name may follow.

    `asked` is the time that was asked for, empty for the newest, `newest` that of the newest row.
    """

    ended: str
    cluster_uid: str
    restored_from: str
    asked: str = ""
    newest: str = ""
    found: str = ""


def place_of(namespace: str, cluster: str) -> Place:
    """Return what keeps that of a Cluster."""
    return Place(namespace, f"{cluster}-restored", _LABEL, cluster)
