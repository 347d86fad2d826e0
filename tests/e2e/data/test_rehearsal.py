# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore is rehearsed on real CloudNativePG, Barman and S3: what is good is proved, what is not is named, and nothing is left."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import requests
from mastodon_stand_in.keys import Keys
from requests_aws4auth import AWS4Auth

from ...conftest import SEED, Lab, Run
from ..bucket import server
from ..support import eventually
from ..zone import DOMAIN

SPACE, NAME = "mastodon", "mastodon-db"
SETTINGS = ("-e", "@lab/settings/backup.yml")
PLAYBOOK = "rehearse.yml"
# How many runs are killed, and the latest moment of a run at which one is.
KILLS, LATEST = int(os.environ.get("TEST_KILLS", "3")), 60.0
KINDS = "clusters.postgresql.cnpg.io,pods,jobs,persistentvolumeclaims,services,secrets,networkpolicies,leases,serviceaccounts"
SEGMENT = re.compile(r"/([0-9A-F]{24})(\.\w+)?$")


@dataclass(frozen=True)
class Archive:
    """The lab with its database backed up, and the bucket that this goes to."""

    lab: Lab

    def rehearse(self, *arguments: str) -> Run:
        return self.lab.playbook(PLAYBOOK, *SETTINGS, *arguments)

    def ask(self, sql: str) -> str:
        """What the database answers its superuser."""
        psql = (
            "psql",
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--quiet",
            "--dbname=mastodon",
            f"--command={sql}",
        )
        return self.lab.kubectl("exec", f"-n={SPACE}", f"{NAME}-1", "-c=postgres", "--", *psql).strip()

    def post(self, text: str) -> None:
        """Write a row as a post of the instance's actor."""
        self.ask(f"INSERT INTO statuses (account_id, text, visibility) VALUES (-99, '{text}', 'direct')")  # noqa: S608 ours

    def archive(self) -> str:
        """Have all that is written archived by now, and return the name of the WAL that it is in."""
        segment = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        eventually(lambda: self.ask("SELECT last_archived_wal FROM pg_stat_archiver"), lambda found: found >= segment)
        return segment

    def names(self) -> dict[str, str]:
        """WAL in the bucket → its object."""
        found = re.findall(
            r"<Key>([^<]*)</Key>", self._ask("GET", "", {"list-type": "2", "prefix": f"{NAME}/wals/"}).text
        )
        return {match[1]: key for key in found if (match := SEGMENT.search(key))}

    @contextmanager
    def without(self, segment: str) -> Iterator[None]:
        """Keep WAL out of the bucket for a while."""
        name = self.names()[segment]
        content = self._ask("GET", name).content
        self._ask("DELETE", name)
        try:
            yield
        finally:
            self._ask("PUT", name, content=content)

    def _ask(
        self, method: str, name: str, query: dict[str, str] | None = None, content: bytes | None = None
    ) -> requests.Response:
        keys = self.lab.stored("postgresql-backup")
        sign = AWS4Auth(keys["access-key-id"], keys["secret-access-key"], "us-east-1", "s3")
        url = f"{server(self.lab)}/mastodon/{name}".rstrip("/")
        answer = requests.request(method, url, params=query, data=content, auth=sign, timeout=30)
        answer.raise_for_status()
        return answer

    def left(self) -> list[str]:
        """What is there of a rehearsal."""
        return [line for line in self.lab.kubectl("get", KINDS, f"-n={SPACE}", "-o=name").split() if "rehears" in line]


@pytest.fixture(scope="module")
def archive(installed: Lab) -> Iterator[Archive]:
    """Turn backups on, wait for the first, and turn them off again."""
    run = installed.site(*SETTINGS)
    assert run.returncode == 0, run.output[-6000:]
    found = Archive(installed)
    window = "{.status.serverRecoveryWindow}"
    store = ("get", "objectstores.barmancloud.cnpg.io", f"-n={SPACE}", NAME, f"-o=jsonpath={window}")
    eventually(lambda: installed.kubectl(*store), bool, 300)
    found.post("before all")
    found.ask(f"UPDATE users SET otp_secret = '{sealed(installed)}'")  # noqa: S608 ours
    found.archive()
    yield found
    found.ask("UPDATE users SET otp_secret = NULL")
    run = installed.site()
    assert run.returncode == 0, run.output[-6000:]


def sealed(lab: Lab) -> str:
    """A secret of two-factor authentication as Mastodon would keep it."""
    app = lab.stored("app")
    keys = [
        app[name] for name in ("secret-key-base", "are-primary-key", "are-deterministic-key", "are-derivation-salt")
    ]
    return Keys(*keys, vapid_private_key="", vapid_public_key="").column.encrypt("JBSWY3DPEHPK3PXP")


def said(run: Run) -> str:
    """What a run printed, as one line."""
    return " ".join(run.output.split())


def counted(run: Run) -> int:
    """How many posts a run restored."""
    found = re.search(r"rows that were restored: .*?(\d+) statuses", said(run))
    assert found, run.output[-3000:]
    return int(found[1])


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


def test_the_status_and_the_doctor_report_the_last_one(archive: Archive) -> None:
    assert re.search(r"last rehearsal \S+ \S+ ago restored up to ", said(archive.lab.playbook("status.yml", *SETTINGS)))
    doctor = said(archive.lab.playbook("doctor.yml", *SETTINGS))
    assert f"ok Cluster {SPACE}/{NAME}: a restore was rehearsed at " in doctor


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
    backups = archive.lab.get("backups.postgresql.cnpg.io", f"-n={SPACE}")["items"]
    [begins] = {item["status"]["beginWal"] for item in backups if item["spec"]["cluster"]["name"] == NAME}
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


def test_after_any_kill_the_next_run_leaves_nothing(archive: Archive) -> None:
    mark, chance = archive.lab.audit_mark(), random.Random(SEED)
    for moment in sorted(chance.uniform(2, LATEST) for _one in range(KILLS)):
        archive.lab.killed(f"playbooks/{PLAYBOOK}", moment)
    run = archive.rehearse()
    assert run.returncode == 0, run.output[-4000:]
    assert archive.left() == []
    assert [line for line in archive.lab.our_writes(mark) if "-rehearsal" not in line] == []
