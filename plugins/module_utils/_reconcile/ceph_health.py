# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ceph says of its own health, as Rook writes it into a CephCluster.

https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/cluster/cephstatus.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

OK, WARN, ERR = "HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR"
# Under this name Rook writes why Ceph could not be asked, with a severity that is none of Ceph's.
_NOT_ASKED = "error"


def of(item: Mapping[str, Any]) -> str:
    """Return Ceph's one word for it, empty while nobody has asked."""
    return str(at(item, "status.ceph.health", ""))


def details(item: Mapping[str, Any]) -> str:
    """Return in Ceph's words what is wrong; where something is an error, without what it only warns of."""
    found = sorted(at(item, "status.ceph.details", {}).items())
    errors = [one for one in found if at(one[1], "severity") != WARN]
    return "; ".join(_quoted(errors or found if of(item) == ERR else found))


def _quoted(found: list[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    # The code is what Ceph's documentation is sorted by: https://docs.ceph.com/en/latest/rados/operations/health-checks/
    for code, detail in found:
        message = str(at(detail, "message", ""))
        yield f"{message} ({code})" if message and code != _NOT_ASKED else message or code
