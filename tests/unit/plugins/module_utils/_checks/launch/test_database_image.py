# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a database that runs and another image. Cluster and Vault are in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import WANTED, World

IMAGE = "ghcr.io/cloudnative-pg/postgresql:"
RUNNING = f"{IMAGE}17.9-202606010816-standard-bookworm@sha256:0123"
PATCH = f"{IMAGE}17.11-202608310816-standard-bookworm@sha256:4567"
PLUGIN = {"name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": "mastodon-db"}}
UP = {"currentPrimary": "mastodon-db-1", "instanceNames": ["mastodon-db-1"], "readyInstances": 1}
TWO = {"currentPrimary": "mastodon-db-2", "instanceNames": ["mastodon-db-1", "mastodon-db-2", "mastodon-db-3"]}


@pytest.fixture
def there(world: World) -> World:
    """A Mastodon whose database runs by an image."""
    world.launch()
    database(world)
    return world


def database(world: World, image: str = RUNNING, **other: Any) -> None:
    spec = {"imageName": image, "plugins": other.pop("plugins", [])}
    status = {**UP, **other}
    world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db", spec=spec, status=status)


def backed_up(world: World, hours: float) -> None:
    when = (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    window = {"mastodon-db": {"lastSuccessfulBackupTime": when}}
    world.put("barmancloud.cnpg.io/v1", "ObjectStore", "mastodon/mastodon-db", status={"serverRecoveryWindow": window})


def wanted(image: str, *accepted: str) -> dict[str, Any]:
    return {"postgresql": {**WANTED["postgresql"], "image": image}, "accepted": list(accepted), "version": "v4.7.2"}


def test_the_same_image_changes_nothing_and_one_of_nothing_neither(there: World) -> None:
    assert not there.check(**wanted(RUNNING))["database_changes"]
    there.remove("Cluster", "mastodon-db")
    assert not there.check(**wanted(PATCH))["database_changes"]
    assert there.said == []


def test_a_patch_is_let_through_and_its_order_said(there: World) -> None:
    result = there.check(**wanted(PATCH))
    assert (result["database_changes"], result["database_runs"]) == (True, True)
    assert there.said == [
        f"Cluster mastodon/mastodon-db goes from {RUNNING} to {PATCH}: CloudNativePG starts anew mastodon-db-1, its only instance, which lets nobody "
        "new in for up to three minutes before it does"
    ]
    database(there, **TWO)
    there.check(**wanted(PATCH))
    assert there.said[1].endswith(
        "CloudNativePG replaces mastodon-db-3, then mastodon-db-1, and last mastodon-db-2, the primary, which lets nobody new in for up to three "
        "minutes before it does"
    )


def test_a_patch_of_a_database_that_is_backed_up_wants_a_fresh_backup_and_no_rehearsal(there: World) -> None:
    database(there, plugins=[PLUGIN])
    backed_up(there, 30)
    (refused,) = there.refused(**wanted(PATCH))
    assert refused.startswith("Cluster mastodon/mastodon-db: has no fresh backup to go back to: ")
    backed_up(there, 2)
    assert there.check(**wanted(PATCH))["database_changes"]


def test_an_image_that_never_came_up_is_corrected_without_a_backup(there: World) -> None:
    database(there, image=f"{IMAGE}17.999", plugins=[PLUGIN], readyInstances=0)
    result = there.check(**wanted(PATCH))
    assert (result["database_changes"], result["database_runs"]) == (True, False)


def test_another_major_is_refused_unless_it_is_accepted_by_name_backed_up_and_rehearsed(there: World) -> None:
    newer = f"{IMAGE}18.1-standard-bookworm"
    assert there.refused(**wanted(newer)) == [
        "Cluster mastodon/mastodon-db: is PostgreSQL 17, and its image would make it 18: CloudNativePG would stop every instance and rewrite the data, "
        "past which nothing of before can be restored. Run ansible-playbook -i inventories/mine fediverse.mastodon.database_major, which imports it into a "
        "new Cluster and keeps this one; or set cnpg_cluster_image to one of PostgreSQL 17; or read docs/upgrade.md, and set "
        "mastodon_upgrade_accept to [postgresql:18]."
    ]
    there.check(**wanted(newer, "postgresql:18"))
    database(there, plugins=[PLUGIN])
    backed_up(there, 2)
    (refused,) = there.refused(**wanted(newer, "postgresql:18"))
    assert refused.startswith("Cluster mastodon/mastodon-db: was not restored to see that it can be: ")
    assert refused.endswith("or set mastodon_upgrade_accept to [postgresql:unrehearsed].")


def test_an_older_major_is_refused_whatever_is_accepted(there: World) -> None:
    assert there.refused(**wanted(f"{IMAGE}16.4", "postgresql:16")) == [
        "Cluster mastodon/mastodon-db: cannot go back to PostgreSQL 16: its data is of 17. Set cnpg_cluster_image to one of PostgreSQL 17."
    ]


def test_another_debian_is_refused_unless_it_is_accepted_by_name(there: World) -> None:
    other = PATCH.replace("bookworm", "trixie")
    assert there.refused(**wanted(other)) == [
        "Cluster mastodon/mastodon-db: is made of Debian bookworm, and would be of trixie: its C library may sort text otherwise, and indexes that were "
        "made before it no longer find what they hold. Set cnpg_cluster_image to one of bookworm; or set mastodon_upgrade_accept to "
        "[postgresql:trixie], and run REINDEX DATABASE in it right afterwards."
    ]
    there.check(**wanted(other, "postgresql:trixie"))
    # What says neither is not guessed at.
    there.check(**wanted(f"{IMAGE}17.11"))
    there.check(**wanted("registry.example:5000/postgresql@sha256:89ab"))


def test_what_speaks_against_both_is_said_once(there: World) -> None:
    there.deployment("ghcr.io/mastodon/mastodon:v4.6.9")
    database(there, plugins=[PLUGIN])
    backed_up(there, 30)
    both = {**wanted(PATCH), "accepted": ["4.7:no_way_back", "4.7:unrehearsed"]}
    assert len(there.refused(**both)) == 1
