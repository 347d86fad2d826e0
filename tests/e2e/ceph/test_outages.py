# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway or a disk that stops is named in words, and what was stored is there when it is back."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.rules import RULES
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import PROBE

from ..programs import SECONDS, SPACE
from ..support import eventually
from .store import GATEWAY, Store

DISK = (f"-n={SPACE}", "deployment/rook-ceph-osd-0")


def scale(store: Store, deployment: tuple[str, str], count: int) -> None:
    store.lab.kubectl("scale", *deployment, f"--replicas={count}")
    store.lab.kubectl("rollout", "status", *deployment, f"--timeout={SECONDS}s")


def health(store: Store) -> str:
    """Return what the engine makes of the CephCluster."""
    item = store.lab.get("cephcluster", f"-n={SPACE}", "rook-ceph")
    found = RULES["ceph.rook.io", "CephCluster"](item)
    return f"{found.verdict} {found.reason}: {found.message}"


def test_a_gateway_that_was_killed_is_named_and_serves_again(store: Store) -> None:
    before = store.bucket().get(PROBE)
    scale(store, GATEWAY, 0)
    try:
        run = store.role()
    finally:
        scale(store, GATEWAY, 1)
    assert run.returncode != 0
    assert f"Service {SPACE}/rook-ceph-rgw-media" in run.output
    assert "Traceback" not in run.output
    assert store.well().recap["changed"] == 0
    assert store.bucket().get(PROBE) == before


def test_a_disk_that_was_killed_keeps_what_is_on_it(store: Store) -> None:
    before = store.bucket().get(PROBE)
    store.lab.kubectl("delete", "pod", f"-n={SPACE}", "--selector=app=rook-ceph-osd", "--force", "--grace-period=0")
    store.lab.kubectl("rollout", "status", *DISK, f"--timeout={SECONDS}s")
    assert store.bucket().get(PROBE) == before
    assert store.well().recap["changed"] == 0


def test_a_full_ceph_is_waited_for_and_named(store: Store) -> None:
    assert health(store).startswith("Current ")
    store.admin("ceph", "osd", "set-full-ratio", "0.0001")
    try:
        said = eventually(lambda: health(store), lambda found: "HEALTH_ERR" in found, SECONDS)
    finally:
        store.admin("ceph", "osd", "set-full-ratio", "0.95")
    # What is no error is not named among those.
    assert "full ratio(s) out of order" in said
    assert "mgr modules" not in said
    eventually(lambda: health(store), lambda found: found.startswith("Current "), SECONDS)
