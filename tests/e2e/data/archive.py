# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of backups share: the lab's database, what it archived, and the bucket that this went to."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from mastodon_stand_in.keys import Keys
from requests_aws4auth import AWS4Auth

from ...conftest import ROOT, Lab, Run
from ..bucket import server
from ..support import eventually
from ..zone import DOMAIN

SPACE, NAME = "mastodon", "mastodon-db"
SETTINGS = ("-e", "@lab/settings/backup.yml")
PLAYBOOK = "rehearse.yml"
KINDS = "clusters.postgresql.cnpg.io,pods,jobs,persistentvolumeclaims,services,secrets,networkpolicies,leases,serviceaccounts"
# WAL, and what tells that a timeline began, each maybe compressed.
SEGMENT = re.compile(r"/([0-9A-F]{24})(\.\w+)?$")
HISTORY = re.compile(r"/([0-9A-F]{8})\.history(\.\w+)?$")
CLUSTERS = "clusters.postgresql.cnpg.io"


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
        return self.lab.kubectl("exec", f"-n={SPACE}", self.primary(), "-c=postgres", "--", *psql).strip()

    def post(self, text: str) -> None:
        """Write a row as a post of the instance's actor."""
        self.ask(f"INSERT INTO statuses (account_id, text, visibility) VALUES (-99, '{text}', 'direct')")  # noqa: S608 ours

    def post_picture(self) -> str:
        """Post one from outside, and return its object."""
        prove = [str(ROOT / "lab/prove"), "--name", self.lab.state.name]
        done = subprocess.run(prove, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return self.ask("SELECT file_key FROM media_attachments ORDER BY id DESC LIMIT 1")

    def archive(self) -> str:
        """Have all that is written archived by now, and return the name of the WAL that it is in."""
        segment = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        eventually(lambda: self.ask("SELECT last_archived_wal FROM pg_stat_archiver"), lambda found: found >= segment)
        return segment

    def names(self) -> dict[str, str]:
        """WAL in the bucket, and timeline of a history there → its object."""
        found = re.findall(
            r"<Key>([^<]*)</Key>", self._ask("GET", "", {"list-type": "2", "prefix": f"{NAME}/wals/"}).text
        )
        return {match[1]: key for key in found if (match := SEGMENT.search(key) or HISTORY.search(key))}

    @contextmanager
    def without(self, named: str) -> Iterator[None]:
        """Keep WAL, or the history of a timeline, out of the bucket for a while."""
        with self.without_object(self.names()[named]):
            yield

    @contextmanager
    def without_object(self, name: str) -> Iterator[None]:
        """Keep an object out of the bucket, which is that of media too, for a while."""
        content = self._ask("GET", name).content
        self._ask("DELETE", name)
        try:
            yield
        finally:
            self._ask("PUT", name, content=content)

    @contextmanager
    def other_keys(self) -> Iterator[None]:
        """Give the database other keys of the bucket for a while."""
        kv, path = self.lab.vault().secrets.kv.v2, f"mastodon/{DOMAIN}/postgresql-backup"
        right = self.lab.stored("postgresql-backup")
        kv.create_or_update_secret(path, {**right, "secret-access-key": "another"}, mount_point="secret")
        self._synchronize("another")
        try:
            yield
        finally:
            kv.create_or_update_secret(path, right, mount_point="secret")
            self._synchronize(right["secret-access-key"])

    @contextmanager
    def not_archiving(self) -> Iterator[None]:
        """Let it notice that its WAL does not reach the bucket, for a while."""
        with self.other_keys():
            self.post("not archived")
            self.ask("SELECT pg_switch_wal()")
            eventually(lambda: self.condition("ContinuousArchiving"), lambda status: status == "False")
            yield
        self.archive()

    def _synchronize(self, key: str) -> None:
        """Return when the Secret has what Vault has."""
        sign = f"force-sync={datetime.now(UTC).timestamp()}"
        self.lab.kubectl("annotate", "externalsecret", f"-n={SPACE}", f"{NAME}-backup", sign, "--overwrite")
        wanted = base64.b64encode(key.encode()).decode()
        secret = ("get", "secret", f"-n={SPACE}", f"{NAME}-backup", "-o=jsonpath={.data.AWS_SECRET_ACCESS_KEY}")
        eventually(lambda: self.lab.kubectl(*secret), lambda found: found == wanted)

    def status(self) -> dict[str, Any]:
        """What CloudNativePG says of the database."""
        found: dict[str, Any] = self.lab.get(CLUSTERS, f"-n={SPACE}", NAME)["status"]
        return found

    def backups(self) -> list[dict[str, Any]]:
        """The Backups of the database, the newest last."""
        found: list[dict[str, Any]] = self.lab.get("backups.postgresql.cnpg.io", f"-n={SPACE}")["items"]
        return sorted(found, key=lambda one: one["metadata"]["creationTimestamp"])

    def last_backup(self) -> str:
        """When the plugin says that the last one ended, empty before the first."""
        store = self.lab.get("objectstores.barmancloud.cnpg.io", f"-n={SPACE}", NAME)
        windows = store.get("status", {}).get("serverRecoveryWindow", {})
        return str(windows.get(NAME, {}).get("lastSuccessfulBackupTime", ""))

    def condition(self, name: str) -> str:
        return next((one["status"] for one in self.status()["conditions"] if one["type"] == name), "")

    def primary(self) -> str:
        return str(self.status()["currentPrimary"])

    def await_instances(self, number: int) -> None:
        """Return when so many are there and ready."""
        healthy = (number, number, "Cluster in healthy state")
        names = ("instances", "readyInstances", "phase")
        eventually(lambda: tuple(map(self.status().get, names)), lambda found: found == healthy, 300)

    def fail_over(self) -> None:
        """Lose the primary as by a node that is gone, and return when the other has taken over."""
        lost = self.primary()
        self.lab.kubectl("delete", "pod", f"-n={SPACE}", lost, "--grace-period=0", "--force")
        self._await_another(lost)

    def switch_over(self) -> None:
        """Ask the other to take over, as `kubectl cnpg promote` does."""
        before = self.status()
        [other] = {*before["instanceNames"]} - {before["currentPrimary"]}
        wanted = {"targetPrimary": other, "targetPrimaryTimestamp": now(), "phase": "Switchover in progress"}
        patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": wanted}))
        self.lab.kubectl("patch", CLUSTERS, f"-n={SPACE}", NAME, *patch)
        self._await_another(before["currentPrimary"])

    def _await_another(self, lost: str) -> None:
        eventually(self.primary, lambda found: found != lost)
        self.await_instances(2)

    def _ask(
        self, method: str, name: str, query: dict[str, str] | None = None, content: bytes | None = None
    ) -> requests.Response:
        keys = self.lab.stored("postgresql-backup")
        sign = AWS4Auth(keys["access-key-id"], keys["secret-access-key"], "us-east-1", "s3")
        url = f"{server(self.lab)}/mastodon/{name}".rstrip("/")
        answer = requests.request(method, url, params=query, data=content, auth=sign, timeout=30)
        answer.raise_for_status()
        return answer

    def seconds_of_restore(self) -> float:
        """Watch a rehearsal from beside, and return how long its Cluster took from when it was there to when it was ready."""

        def ready() -> str:
            what = ("get", CLUSTERS, f"-n={SPACE}", f"{NAME}-rehearsal", "--ignore-not-found")
            return self.lab.kubectl(*what, "-o=jsonpath={.metadata.name} {.status.readyInstances}").strip()

        eventually(ready, bool, 300)
        began = time.monotonic()
        eventually(ready, lambda found: found.endswith(" 1"), 600)
        return time.monotonic() - began

    def left(self) -> list[str]:
        """What is there of a rehearsal."""
        return [line for line in self.lab.kubectl("get", KINDS, f"-n={SPACE}", "-o=name").split() if "rehears" in line]


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
