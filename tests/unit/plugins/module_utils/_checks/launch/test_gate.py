# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a Mastodon that runs and the next minor series. Cluster and Vault are in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import (
    DUPLICATES,
    SERIES,
    acknowledgement,
    left_to_run,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import World

PAGE = Path(__file__).parents[6] / "docs/upgrade.md"
HEAD = "| to | since | PostgreSQL | Redis | what its notes say | must have run before | to be accepted |"
ACCEPTED = {"version": "v4.7.4", "accepted": ["4.7:no_way_back"]}
PLUGIN = {"name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": "mastodon-db"}}
PARENT = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


@pytest.fixture
def at_4_6(world: World) -> World:
    """A Mastodon of the series before the one that closes the door."""
    world.launch("ghcr.io/mastodon/mastodon:v4.6.9")
    return world


def release(world: World, labels: Mapping[str, str], **spec: Any) -> None:
    """Store the release as it is in the cluster, beside what it was launched with."""
    (found,) = [item for one, item in world.api.objects.items() if (one.kind, one.name) == ("HelmRelease", "mastodon")]
    found["metadata"]["labels"] = dict(labels)
    found["spec"].update(spec)


def backup(world: World, hours: float | None, *plugins: Mapping[str, Any], failing: str = "") -> None:
    """Let the database have backups, the last so many hours ago."""
    failed = [
        {"type": "ContinuousArchiving", "status": "False", "reason": "ContinuousArchivingFailing", "message": failing}
    ]
    status = {"conditions": failed if failing else []}
    world.put(
        "postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db", spec={"plugins": list(plugins)}, status=status
    )
    when = "" if hours is None else (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    window = {"mastodon-db": {"lastSuccessfulBackupTime": when} if when else {}}
    world.put("barmancloud.cnpg.io/v1", "ObjectStore", "mastodon/mastodon-db", status={"serverRecoveryWindow": window})
    rehearse(world, 2)


def rehearse(world: World, hours: float, *, of: str = "mastodon-db", **found: str) -> None:
    """Let a restore of the database have been rehearsed so many hours ago."""
    when = (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {"fediverse.mastodon/rehearsal-of": of}
    data = {"ended": when, **found}
    world.put("v1", "ConfigMap", "mastodon/mastodon-db-rehearsal", metadata={"labels": labels}, data=data)


def test_no_way_back_is_gone_without_a_word_by_name(at_4_6: World) -> None:
    assert at_4_6.refused(version="v4.7.4") == [
        "Mastodon mastodon/mastodon: cannot go back to v4.6.9 once it is v4.7: its last migrations move every account's signing key, encrypted "
        "with Mastodon's own keys, to where no older release looks for it. Read docs/upgrade.md, and set mastodon_upgrade_accept to "
        "[4.7:no_way_back]."
    ]
    assert at_4_6.check(**ACCEPTED)["version"] == "v4.6.9"


@pytest.mark.parametrize(("running", "wanted"), [("v4.6.9", "v4.6.10"), ("v4.7.0", "v4.7.4"), ("v4.5.20", "v4.6.9")])
def test_nothing_is_to_be_accepted_where_no_door_closes(world: World, running: str, wanted: str) -> None:
    world.launch(f"ghcr.io/mastodon/mastodon:{running}")
    assert world.check(version=wanted)["version"] == running


def test_a_release_that_a_parent_would_roll_back_is_refused(at_4_6: World) -> None:
    release(at_4_6, PARENT, upgrade={"strategy": {"name": "RemediateOnFailure"}})
    assert at_4_6.refused(**ACCEPTED) == [
        "HelmRelease mastodon/mastodon: would be rolled back when an upgrade fails: its strategy is RemediateOnFailure, and an older release does "
        "not run on a database that was migrated. Leave it out of the patch of Kustomization flux-system/apps."
    ]
    release(at_4_6, PARENT, upgrade={"strategy": {"name": "RetryOnFailure"}})
    at_4_6.check(**ACCEPTED)
    # Nobody puts it back after this run has set it.
    release(at_4_6, {}, upgrade={"strategy": {"name": "RemediateOnFailure"}})
    at_4_6.check(**ACCEPTED)


def test_a_release_that_is_suspended_is_refused(at_4_6: World) -> None:
    release(at_4_6, {}, suspend=True)
    assert at_4_6.refused(**ACCEPTED) == [
        "HelmRelease mastodon/mastodon: is suspended: so nothing would be upgraded. "
        "Run flux resume helmrelease -n mastodon mastodon first."
    ]


@pytest.mark.parametrize(
    ("place", "spec"),
    [
        ("flux-system/mastodon", {"targetNamespace": "mastodon", "releaseName": "mastodon"}),
        ("mastodon/social", {"releaseName": "mastodon"}),
        # Its values may be in a ConfigMap: https://fluxcd.io/flux/components/helm/helmreleases/#values-references
        ("mastodon/social", {"releaseName": "mastodon", "values": {}}),
    ],
)
def test_its_release_is_the_one_that_installs_it_wherever_that_is_and_however_it_is_called(
    at_4_6: World, place: str, spec: Mapping[str, Any]
) -> None:
    at_4_6.remove("HelmRelease", "mastodon")
    at_4_6.helm_release(place, suspend=True, **spec)
    (refused,) = at_4_6.refused(**ACCEPTED)
    assert refused.startswith(f"HelmRelease {place}: is suspended")


@pytest.mark.parametrize("spec", [{"targetNamespace": "elsewhere"}, {"releaseName": "other"}])
def test_a_mastodon_whose_release_is_not_seen_is_not_upgraded(at_4_6: World, spec: Mapping[str, Any]) -> None:
    at_4_6.remove("HelmRelease", "mastodon")
    at_4_6.helm_release(domain="example.com", **spec)
    assert at_4_6.refused(**ACCEPTED) == [
        "Mastodon mastodon/mastodon: runs, and no HelmRelease of it is seen: so that nothing says whether Flux would go through with an upgrade. "
        "Set mastodon_image_tag to v4.6.9 and run fediverse.mastodon.site, which creates one; or, if there is one in another namespace, let this user read it."
    ]


def test_one_that_was_uninstalled_is_installed_again_by_a_newer_release(at_4_6: World) -> None:
    at_4_6.remove("HelmRelease", "mastodon")
    at_4_6.remove("Deployment", "mastodon-web")
    (found,) = [item for one, item in at_4_6.api.objects.items() if one.kind == "ConfigMap"]
    found["metadata"]["annotations"] = {"fediverse.mastodon/release": "v4.6.9"}
    assert at_4_6.check(**ACCEPTED)["version"] == "v4.6.9"


@pytest.mark.parametrize(
    ("hours", "failing", "why"),
    [
        (None, "", "none was ever made"),
        (30, "", "30 hours ago"),
        (1, "access denied", "access denied"),
    ],
)
def test_without_a_fresh_backup_of_a_database_that_is_backed_up_it_is_refused(
    at_4_6: World, hours: float | None, failing: str, why: str
) -> None:
    backup(at_4_6, hours, PLUGIN, failing=failing)
    (refused,) = at_4_6.refused(**ACCEPTED)
    assert refused.startswith("Cluster mastodon/mastodon-db: has no fresh backup to go back to: ")
    assert why in refused
    assert refused.endswith("Make one: ansible-playbook -i inventories/mine fediverse.mastodon.backup.")


def test_a_fresh_backup_and_one_that_nobody_asked_for_are_let_through(at_4_6: World) -> None:
    backup(at_4_6, 20, PLUGIN)
    at_4_6.check(**ACCEPTED)
    backup(at_4_6, None)
    at_4_6.check(**ACCEPTED)
    backup(at_4_6, None, {**PLUGIN, "enabled": False})
    at_4_6.check(**ACCEPTED)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"hours": 25}, "its last rehearsal was at "),
        ({"hours": 1, "failure": "it was short"}, ": it was short"),
        ({"hours": 1, "asked": "2026-11-01T00:00:00Z"}, "was of an earlier time, 2026-11-01T00:00:00Z"),
        ({"hours": 1, "of": "another"}, "no restore of it was rehearsed yet"),
        ({"hours": 3}, "no restore of it was rehearsed yet"),
    ],
)
def test_a_backup_that_nobody_restored_today_is_refused_unless_that_is_accepted(
    at_4_6: World, found: dict[str, Any], why: str
) -> None:
    backup(at_4_6, 1, PLUGIN)
    [cluster] = [
        item for one, item in at_4_6.api.objects.items() if one.name == "mastodon-db" and one.kind == "Cluster"
    ]
    created = datetime.now(UTC) - timedelta(hours=2 if found["hours"] == 3 else 48)
    cluster["metadata"]["creationTimestamp"] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    rehearse(at_4_6, **found)
    (refused,) = at_4_6.refused(**ACCEPTED)
    assert refused.startswith("Cluster mastodon/mastodon-db: was not restored to see that it can be: ")
    assert why in refused
    assert refused.endswith("fediverse.mastodon.rehearse, or set mastodon_upgrade_accept to [4.7:unrehearsed].")
    at_4_6.check(version="v4.7.4", accepted=["4.7:no_way_back", "4.7:unrehearsed"])


@pytest.mark.parametrize(("label", "refused"), [({}, True), ({"fediverse.mastodon/backup-of": "mastodon-db"}, False)])
def test_a_backup_that_is_being_made_is_waited_for_unless_it_is_ours(
    at_4_6: World, label: dict[str, str], refused: bool
) -> None:
    backup(at_4_6, 1, PLUGIN)
    spec = {"cluster": {"name": "mastodon-db"}}
    at_4_6.put(
        "postgresql.cnpg.io/v1",
        "Backup",
        "mastodon/nightly",
        metadata={"labels": label, "creationTimestamp": "2026-11-29T00:00:00Z"},
        spec=spec,
        status={"phase": "running"},
    )
    if not refused:
        at_4_6.check(**ACCEPTED)
        return
    assert at_4_6.refused(**ACCEPTED) == [
        "Cluster mastodon/mastodon-db: another backup of it runs: Backup mastodon/nightly began at 2026-11-29T00:00:00Z. Wait until it has ended."
    ]


def test_one_that_flux_was_given_already_is_gone_on_with_unless_it_is_suspended(at_4_6: World) -> None:
    values = {"mastodon": {"localDomain": "example.com"}, "image": {"tag": "v4.7.4"}}
    release(at_4_6, {}, values=values)
    backup(at_4_6, None, PLUGIN)
    at_4_6.check(version="v4.7.4")
    release(at_4_6, {}, values=values, suspend=True)
    assert len(at_4_6.refused(version="v4.7.4")) == len(["no way back", "suspended", "no backup"])


def test_all_that_speaks_against_it_is_said_at_once(at_4_6: World) -> None:
    backup(at_4_6, None, PLUGIN)
    release(at_4_6, PARENT, suspend=True, upgrade={"strategy": {"name": "RemediateOnFailure"}})
    assert len(at_4_6.refused(version="v4.7.4")) == len(["no way back", "suspended", "rolled back", "no backup"])


def test_a_run_that_upgrades_nothing_asks_for_nothing_more(world: World) -> None:
    """Neither for backups nor for anything else; and a release that is patched from outside is no concern of it."""
    world.launch()
    backup(world, None, PLUGIN)
    release(world, PARENT, suspend=True, upgrade={"strategy": {"name": "RemediateOnFailure"}})
    world.api.unreadable = {"ObjectStore"}
    world.check(version="v4.7.2")
    world.check(version="v4.7.4")


def table() -> str:
    rows = []
    for (major, minor), one in SERIES.items():
        accepted = [f"`{acknowledgement((major, minor))}`: {one.no_way_back}"] if one.no_way_back else []
        if one.unique_uris:
            accepted.append(
                f"`{acknowledgement((major, minor), DUPLICATES)}`, where accounts share an id: they are merged, which takes hours"
            )
        before = left_to_run((major, minor - 1))
        rows.append(
            f"| {major}.{minor} | {one.released} | {one.postgresql} | {one.redis} | {one.marks} | {before} | {'; '.join(accepted)} |"
        )
    return "\n".join([HEAD, "|---|---|---|---|---|---|---|", *rows]).replace("|  |", "| |").replace("|  |", "| |")


def test_the_page_lists_what_the_code_knows() -> None:
    before, _unused, rest = PAGE.read_text().partition(HEAD)
    page = f"{before}{table()}\n\n{rest.partition(chr(10) * 2)[2]}"
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page
