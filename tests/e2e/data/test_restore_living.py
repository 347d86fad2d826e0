# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mastodon that lives is restored to a time between two posts, killed on its way, and goes back once. In this order, on a lab of its own."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ...conftest import LAB_INDEX, LAB_NAME, SEED, Lab, Run, fresh_lab
from ..support import eventually
from ..zone import DOMAIN
from .archive import NAME, SETTINGS, SPACE, Archive, now, said
from .test_whole_loss import Bucket, site_of

# How many runs are killed, and the latest moment of a run at which one is.
KILLS, LATEST = int(os.environ.get("TEST_KILLS", "3")), 150.0
NEXT = f"{NAME}-2"
TYPED = ("-e", f"restore_domain={DOMAIN}")
CLUSTERS = "clusters.postgresql.cnpg.io"
SCHEDULES = "scheduledbackups.postgresql.cnpg.io"


@dataclass(frozen=True)
class Database(Archive):
    """That of a lab, of which `cluster` is now the one that serves."""

    cluster: str = NAME

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.lab.get(CLUSTERS, f"-n={SPACE}", self.cluster)["status"]
        return found


@dataclass
class Living:
    """A Mastodon with a post before and one after the time that is `wanted`."""

    lab: Lab
    wanted: str

    def restore(self, *arguments: str) -> Run:
        return self.lab.playbook("restore.yml", *SETTINGS, *TYPED, *arguments)

    def to_then(self, *arguments: str) -> Run:
        return self.restore("-e", f"restore_to={self.wanted}", *arguments)

    def posts(self, cluster: str) -> set[str]:
        return set(Database(self.lab, cluster).ask("SELECT text FROM statuses").splitlines())

    def asleep(self, cluster: str) -> bool:
        """Whether CloudNativePG says so."""
        conditions = Database(self.lab, cluster).status()["conditions"]
        return ("cnpg.io/hibernation", "True") in {(one["type"], one["status"]) for one in conditions}

    def redis(self, *words: str) -> str:
        """What the cache answers."""
        inside = ("env", f"REDISCLI_AUTH={self.lab.stored('redis')['password']}", "redis-cli", "--no-auth-warning")
        return self.lab.kubectl("exec", f"-n={SPACE}", "mastodon-redis-0", "--", *inside, *words).strip()

    def suspend_backups(self) -> None:
        """Do so as somebody who is not us, until the S3 server is better."""
        patch = ("--type=merge", "--patch", json.dumps({"spec": {"suspend": True}}))
        self.lab.kubectl("patch", SCHEDULES, f"-n={SPACE}", NAME, *patch)

    def backups_are_suspended(self, cluster: str) -> bool:
        return bool(self.lab.get(SCHEDULES, f"-n={SPACE}", cluster)["spec"].get("suspend", False))

    def keep_in_cache(self) -> None:
        job = json.dumps({"class": "Nobody", "args": [], "queue": "none", "jid": "1", "retry": False})
        self.redis("SADD", "queues", "none")
        # Nobody works on this one, so that it waits.
        self.redis("LPUSH", "queue:none", job)
        self.redis("ZADD", "dead", "1", job)
        self.redis("SET", "cache:before", "1")
        self.redis("ZADD", "feed:home:999", "1", "1")
        self.redis("SET", "others:own", "1")
        self.redis("SAVE")


@pytest.fixture(scope="module")
def living() -> Iterator[Living]:
    with fresh_lab(f"{LAB_NAME}-living", int(LAB_INDEX) + 1, "--without", "ceph") as lab:
        run = lab.site(*SETTINGS)
        assert run.returncode == 0, run.output[-6000:]
        archive = Archive(lab)
        eventually(archive.last_backup, bool, 300)
        archive.post("the one before")
        # As PostgreSQL counts.
        wanted = now().replace("Z", "000Z")
        archive.post("the one after")
        archive.archive()
        yield Living(lab, wanted)


def test_a_domain_that_is_not_typed_or_another_one_is_refused(living: Living) -> None:
    mark = living.lab.audit_mark()
    for arguments in ((), ("-e", "restore_domain=another.example")):
        run = living.lab.playbook("restore.yml", *SETTINGS, *arguments)
        assert run.returncode == 2
        assert f"Add -e restore_domain={DOMAIN} if this one is to be restored" in said(run)
    assert living.lab.our_writes(mark) == []


def test_what_was_not_rehearsed_is_refused_with_the_command_that_does(living: Living) -> None:
    mark, run = living.lab.audit_mark(), living.to_then()
    assert run.returncode == 2
    assert f"fediverse.mastodon.rehearse -e at={living.wanted}. Where that is not possible" in said(run)
    assert living.lab.our_writes(mark) == []


def test_once_rehearsed_check_mode_says_what_would_be_done_and_writes_nothing(living: Living) -> None:
    run = living.lab.playbook("rehearse.yml", *SETTINGS, "-e", f"at={living.wanted}")
    assert run.returncode == 0, run.output[-4000:]
    mark, run = living.lab.audit_mark(), living.to_then("--check")
    assert run.returncode == 0, run.output[-4000:]
    assert f"would begin restoring the backup of {NAME} as of {living.wanted} into Cluster {NEXT}" in said(run)
    # By which base backup is what CloudNativePG calls the one that its schedule made.
    assert re.search(rf"can be restored from \S+Z until \S+Z, from Backup {NAME}-\d+", said(run))
    assert living.lab.our_writes(mark) == []


def test_killed_anywhere_the_same_command_ends_it(living: Living) -> None:
    living.keep_in_cache()
    living.suspend_backups()
    chance = random.Random(SEED)
    for moment in sorted(chance.uniform(10, LATEST) for _one in range(KILLS)):
        living.lab.killed("playbooks/restore.yml", moment, *SETTINGS, *TYPED, "-e", f"restore_to={living.wanted}")
    run = living.to_then()
    assert run.returncode == 0, run.output[-6000:]
    print(f"the last run took {run.seconds:.0f} s\n{run.output}")
    posts = living.posts(NEXT)
    assert "the one before" in posts
    assert "the one after" not in posts


def test_the_former_database_is_hibernated_and_the_new_one_archives_beside_it(living: Living) -> None:
    assert living.asleep(NAME)
    claims = living.lab.kubectl("get", "pvc", f"-n={SPACE}", "-o=name").split()
    assert any(re.fullmatch(rf"persistentvolumeclaim/{NAME}-\d+", claim) for claim in claims)
    Database(living.lab, NEXT).archive()
    assert Bucket(living.lab).servers() == {NAME, NEXT}
    assert living.backups_are_suspended(NEXT)


def test_queues_and_caches_are_empty_also_after_the_cache_began_anew(living: Living) -> None:
    def left() -> str:
        return living.redis("EXISTS", "queue:none", "dead", "cache:before", "feed:home:999")

    def left_by_now() -> str:
        try:
            return left()
        except subprocess.CalledProcessError:
            return "it is not up"

    assert (left(), living.redis("EXISTS", "others:own")) == ("0", "1")
    living.lab.kubectl("delete", "pod", f"-n={SPACE}", "mastodon-redis-0", "--grace-period=0", "--force")
    eventually(left_by_now, lambda found: found == "0", 120)
    assert living.redis("EXISTS", "others:own") == "1"


def test_home_timelines_are_filled_again(living: Living) -> None:
    jobs = (
        "get",
        "jobs",
        f"-n={SPACE}",
        "-o=jsonpath={range .items[*]}{.metadata.name} {.status.succeeded}{'\\n'}{end}",
    )
    eventually(
        lambda: living.lab.kubectl(*jobs), lambda found: bool(re.search(r"^mastodon-feeds-\d+ 1$", found, re.M)), 180
    )


def test_people_get_an_answer_and_others_see_the_same_server(living: Living) -> None:
    assert site_of(living.lab).request("GET", "/actor").json()["type"] == "Application"
    run = living.lab.playbook("federation.yml", *SETTINGS)
    assert run.returncode == 0, run.output[-3000:]


def test_the_same_command_again_and_site_change_nothing(living: Living) -> None:
    run = living.to_then()
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-3000:]
    run = living.lab.site(*SETTINGS)
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-3000:]
    assert living.asleep(NAME)


def test_the_way_back_leads_to_all_that_was_there(living: Living) -> None:
    run = living.restore("-e", f"restore_back={NAME}")
    assert run.returncode == 0, run.output[-6000:]
    assert {"the one before", "the one after"} <= living.posts(NAME)
    assert living.asleep(NEXT)
    assert living.backups_are_suspended(NAME)
    run = living.lab.site(*SETTINGS)
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-3000:]
