# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore is rehearsed on real CloudNativePG, Barman and S3: what is good is proved, what is not is named, and nothing is left."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ...conftest import SEED
from ..zone import DOMAIN
from .archive import NAME, PLAYBOOK, SETTINGS, SPACE, Archive, counted, now, said

# How many runs are killed, and the latest moment of a run at which one is.
KILLS, LATEST = int(os.environ.get("TEST_KILLS", "3")), 60.0
# Seconds of a rehearsal beside what PostgreSQL and its operator take to restore.
MOST_BESIDE = 90


def test_what_would_be_done_is_said_and_nothing_is_written(archive: Archive) -> None:
    mark = archive.lab.audit_mark()
    run = archive.rehearse("--check")
    assert run.returncode == 0, run.output[-3000:]
    assert f"would restore Cluster {SPACE}/{NAME} as late as its archive goes (from " in said(run)
    assert archive.lab.our_writes(mark) == []


def test_the_newest_is_restored_compared_opened_and_removed(archive: Archive) -> None:
    mark, before = archive.lab.audit_mark(), archive.lab.get("clusters.postgresql.cnpg.io", f"-n={SPACE}", NAME)
    run = archive.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert counted(run) == int(archive.ask("SELECT count(*) FROM statuses"))
    assert re.search(
        r"encrypted rows that today's keys open: [1-9]\d* of users.otp_secret, [1-9]\d* of keypairs.private_key",
        said(run),
    )
    assert re.search(r"restored up to \S+Z \(RPO 0 s, RTO \d+ s\)", said(run))
    assert archive.left() == []
    # The origin stays as it is: all that was written bears a rehearsal's name.
    assert [line for line in archive.lab.our_writes(mark) if "-rehearsal" not in line] == []
    after = archive.lab.get("clusters.postgresql.cnpg.io", f"-n={SPACE}", NAME)
    assert (after["spec"], after["metadata"]["generation"]) == (before["spec"], before["metadata"]["generation"])


def test_it_takes_at_most_90_seconds_more_than_postgresqls_own_restore(archive: Archive) -> None:
    with ThreadPoolExecutor(1) as beside:
        seen = beside.submit(archive.seconds_of_restore)
        run = archive.rehearse()
        own = seen.result()
    assert run.returncode == 0, run.output[-4000:]
    print(f"rehearsed in {run.seconds:.0f} s, of which PostgreSQL's restore took {own:.0f} s")
    assert run.seconds - own <= MOST_BESIDE


def test_the_status_and_the_doctor_report_the_last_one(archive: Archive) -> None:
    assert re.search(r"last rehearsal \S+ \S+ ago restored up to ", said(archive.lab.playbook("status.yml", *SETTINGS)))
    doctor = said(archive.lab.playbook("doctor.yml", *SETTINGS))
    assert f"ok Cluster {SPACE}/{NAME}: a restore was rehearsed at " in doctor


def test_pictures_of_posts_are_looked_for_where_that_is_asked(archive: Archive) -> None:
    posted = [archive.post_picture(), archive.post_picture()]
    archive.archive()
    run = archive.rehearse("-e", "media_sample=20")
    assert run.returncode == 0, run.output[-4000:]
    number = archive.ask("SELECT count(*) FROM media_attachments WHERE status_id IS NOT NULL")
    assert f"pictures of posts that are in the bucket: {number} of {number}" in said(run)
    with archive.without_object(posted[1]):
        run = archive.rehearse("-e", "media_sample=1")
    assert run.returncode == 2
    assert f"1 of 1 pictures of its posts are not in the bucket ({posted[1]})" in said(run)
    assert archive.left() == []


def test_of_two_rows_the_one_before_the_asked_time_is_restored(archive: Archive) -> None:
    archive.post("the one before")
    wanted = now()
    before = int(archive.ask("SELECT count(*) FROM statuses"))
    archive.post("the one after")
    archive.archive()
    run = archive.rehearse("-e", f"at={wanted}")
    assert run.returncode == 0, run.output[-4000:]
    assert counted(run) == before
    assert archive.left() == []


@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("2020-01-01T00:00:00Z", "its first backup was complete only later. Choose a time from "),
        ("2120-01-01T00:00:00Z", "that is in the future, it is "),
        ("2026-11-29T03:00:00", "has no time zone: 2026-11-29T03:00:00. Write it with its time zone"),
    ],
)
def test_a_time_that_cannot_be_restored_to_is_refused_before_anything_is_created(
    archive: Archive, at: str, why: str
) -> None:
    mark = archive.lab.audit_mark()
    run = archive.rehearse("-e", f"at={at}")
    assert run.returncode == 2
    assert why in said(run)
    assert archive.lab.our_writes(mark) == []


def test_without_the_newest_wal_it_ends_too_early(archive: Archive) -> None:
    archive.post("lost")
    segment = archive.archive()
    with archive.without(segment):
        run = archive.rehearse()
    assert run.returncode == 2
    assert re.search(
        rf"cannot be restored whole: recovery ended at \S+, before WAL {segment}, which the origin says", said(run)
    )
    assert archive.left() == []


def test_without_the_first_wal_of_its_backup_nothing_can_be_restored(archive: Archive) -> None:
    begins = archive.backups()[-1]["status"]["beginWal"]
    with archive.without(begins):
        run = archive.rehearse()
    assert run.returncode == 2
    assert "cannot be restored: the first WAL that its base backup needs is missing from the archive" in said(run)
    assert archive.left() == []


def test_a_time_after_the_last_transaction_of_an_idle_database_is_named(archive: Archive) -> None:
    archive.archive()
    wanted = now()
    # WAL is archived that has no transaction in it.
    archive.ask("SELECT pg_create_restore_point('idle')")
    archive.archive()
    run = archive.rehearse("-e", f"at={wanted}")
    assert run.returncode == 2
    assert "no transaction after that time is in the archive" in said(run)


def test_an_idle_database_loses_nothing(archive: Archive) -> None:
    run = archive.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert "(RPO 0 s, RTO " in said(run)


def test_rows_of_other_keys_than_vault_has_are_named(archive: Archive) -> None:
    kv, path = archive.lab.vault().secrets.kv.v2, f"mastodon/{DOMAIN}/app"
    right = archive.lab.stored("app")
    kv.create_or_update_secret(path, {**right, "are-primary-key": "another"}, mount_point="secret")
    try:
        run = archive.rehearse()
    finally:
        kv.create_or_update_secret(path, right, mount_point="secret")
    assert run.returncode == 2
    assert re.search(
        r"rows of keypairs.private_key were encrypted with other Active Record keys than Vault has now", said(run)
    )
    assert right["are-primary-key"] not in run.output
    assert archive.left() == []


def test_a_failure_is_what_the_status_reports_of_the_last_one(archive: Archive) -> None:
    assert "failed: Cluster mastodon/mastodon-db: cannot be restored whole" in said(
        archive.lab.playbook("status.yml", *SETTINGS)
    )


def test_wrong_keys_of_the_bucket_are_named(archive: Archive) -> None:
    with archive.other_keys():
        run = archive.rehearse()
    assert run.returncode == 2
    assert "cannot be restored: the S3 server refuses the keys, or the bucket to them. Put the right keys" in said(run)
    assert archive.left() == []


def test_once_wal_did_not_reach_the_bucket_it_is_refused_before_anything_is_created(archive: Archive) -> None:
    with archive.not_archiving():
        mark, run = archive.lab.audit_mark(), archive.rehearse()
    assert run.returncode == 2
    assert "does not archive its WAL" in said(run)
    assert [line for line in archive.lab.our_writes(mark) if "/configmaps/" not in line] == []


def test_after_any_kill_the_next_run_leaves_nothing(archive: Archive) -> None:
    mark, chance = archive.lab.audit_mark(), random.Random(SEED)
    for moment in sorted(chance.uniform(2, LATEST) for _one in range(KILLS)):
        archive.lab.killed(f"playbooks/{PLAYBOOK}", moment)
    run = archive.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert archive.left() == []
    assert [line for line in archive.lab.our_writes(mark) if "-rehearsal" not in line] == []


@pytest.fixture(scope="module")
def pair(archive: Archive) -> Iterator[Archive]:
    """The same with a second instance, which follows; later with one again."""
    run = archive.lab.site(*SETTINGS, "-e", "cnpg_cluster_instances=2")
    assert run.returncode == 0, run.output[-6000:]
    archive.await_instances(2)
    yield archive
    if archive.primary() != f"{NAME}-1":
        archive.switch_over()
    run = archive.lab.site(*SETTINGS)
    assert run.returncode == 0, run.output[-6000:]
    archive.await_instances(1)


@pytest.mark.parametrize("change", ["fail_over", "switch_over"])
def test_what_was_written_before_and_after_another_primary_took_over_is_restored(pair: Archive, change: str) -> None:
    pair.post(f"before {change}")
    pair.archive()
    getattr(pair, change)()
    pair.post(f"after {change}")
    segment = pair.archive()
    run = pair.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert counted(run) == int(pair.ask("SELECT count(*) FROM statuses"))
    # Without the history of the new timeline PostgreSQL goes to the end of the old one, and is content.
    with pair.without(segment[:8]):
        run = pair.rehearse()
    assert run.returncode == 2
    assert f"and the origin is on timeline {int(segment[:8], 16)}: what was written since its primary changed" in said(
        run
    )
    assert pair.left() == []


def test_a_backup_that_the_second_instance_made_can_be_restored(pair: Archive) -> None:
    """It forces no WAL on the first one, without which it could not be."""
    pair.post("before a backup")
    run = pair.lab.playbook("backup.yml", *SETTINGS)
    assert run.returncode == 0, run.output[-4000:]
    newest = pair.backups()[-1]
    assert newest["status"]["instanceID"]["podName"] != pair.primary()
    assert newest["status"]["endWal"] in pair.names()
    run = pair.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert counted(run) == int(pair.ask("SELECT count(*) FROM statuses"))
