# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database of PostgreSQL 15 becomes one of 17: rehearsed, killed on its way, compared, and gone back once. In this order, on a lab of its own."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from mastodon_lab import versions
from mastodon_lab.build import mirror, plan
from mastodon_lab.build.images import POSTGRESQL, POSTGRESQL_IMAGE
from mastodon_lab.build.store import Store

from ...conftest import LAB_INDEX, LAB_NAME, SEED, Run, fresh_lab
from ..support import eventually, served
from ..zone import DOMAIN
from .archive import NAME, SETTINGS, SPACE, Archive, said
from .test_restore_living import NEXT, Database, Living
from .test_whole_loss import Bucket

# How many runs are killed, and the latest moment of a run at which one is.
KILLS, LATEST = int(os.environ.get("TEST_KILLS", "3")), 120.0
OLDER = f"{POSTGRESQL}:{versions.OLDER_POSTGRESQL_MAJOR}"
BEFORE = ("-e", f"cnpg_cluster_image={OLDER}")


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with fresh_lab(f"{LAB_NAME}-major", int(LAB_INDEX) + 2, "--without", "ceph") as lab:
        store = Store(Path(os.environ.get("LAB_CACHE", "/var/cache/fediverse-mastodon-lab")))
        with store.locked(print):
            mirror.add(plan.older_postgresql(store, tmp_path_factory.mktemp("log") / "log"), lab.state / "mirror")
        run = lab.site(*SETTINGS, *BEFORE)
        assert run.returncode == 0, run.output[-6000:]
        archive = Archive(lab)
        eventually(archive.last_backup, bool, 300)
        archive.post("the one before")
        archive.archive()
        yield Living(lab, "")


def major(living: Living, *arguments: str) -> Run:
    return living.lab.playbook("database_major.yml", *SETTINGS, *arguments)


def version(living: Living, cluster: str) -> str:
    return Database(living.lab, cluster).ask("SHOW server_version").partition(".")[0]


def test_site_refuses_another_major_and_names_the_playbook_that_imports(living: Living) -> None:
    mark, run = living.lab.audit_mark(), living.lab.site(*SETTINGS)
    assert run.returncode == 2
    assert "Run ansible-playbook -i inventories/mine fediverse.mastodon.database_major, which imports it" in said(run)
    assert living.lab.our_writes(mark) == []


def test_what_was_not_rehearsed_is_refused_with_the_command_that_does(living: Living) -> None:
    mark, run = living.lab.audit_mark(), major(living)
    assert run.returncode == 2
    assert (
        "nothing of it was rehearsed. Rehearse it: ansible-playbook -i inventories/mine fediverse.mastodon.rehearse -e major=true"
        in said(run)
    )
    assert living.lab.our_writes(mark) == []


def test_an_extension_that_the_new_image_lacks_is_named_by_the_rehearsal(living: Living) -> None:
    """One that the operating system of the older image alone has."""
    archive, control = Archive(living.lab), f"/usr/share/postgresql/{versions.OLDER_POSTGRESQL_MAJOR}/extension"
    assert "adminpack" in living.lab.kubectl("exec", f"-n={SPACE}", f"{NAME}-1", "-c=postgres", "--", "ls", control)
    # Gone since 17: https://www.postgresql.org/docs/17/release-17.html
    archive.ask("CREATE EXTENSION adminpack")
    run = living.lab.playbook("rehearse.yml", *SETTINGS, "-e", "major=true")
    archive.ask("DROP EXTENSION adminpack")
    assert run.returncode == 2
    assert f"Cluster {SPACE}/{NAME}: cannot be imported: the image lacks an extension" in said(run)
    assert archive.left() == []


def test_the_import_is_rehearsed_and_nothing_is_left(living: Living) -> None:
    run = living.lab.playbook("rehearse.yml", *SETTINGS, "-e", "major=true")
    assert run.returncode == 0, run.output[-6000:]
    print(run.output)
    assert f"Cluster {SPACE}/{NAME}: imported by {POSTGRESQL_IMAGE} up to " in said(run)
    assert Archive(living.lab).left() == []


def test_check_mode_says_what_would_be_done_and_writes_nothing(living: Living) -> None:
    mark, run = living.lab.audit_mark(), major(living, "--check")
    assert run.returncode == 0, run.output[-4000:]
    assert f"would begin importing Cluster {NAME} into Cluster {NEXT} by {POSTGRESQL_IMAGE}" in said(run)
    assert living.lab.our_writes(mark) == []


def test_killed_anywhere_the_same_command_ends_it_and_all_is_there(living: Living) -> None:
    living.keep_in_cache()
    rows = Archive(living.lab).ask("SELECT count(*) FROM statuses")
    chance = random.Random(SEED)
    for moment in sorted(chance.uniform(10, LATEST) for _one in range(KILLS)):
        living.lab.killed("playbooks/database_major.yml", moment, *SETTINGS)
    run = major(living)
    assert run.returncode == 0, run.output[-6000:]
    print(f"the last run took {run.seconds:.0f} s\n{run.output}")
    assert version(living, NEXT) == versions.POSTGRESQL_MAJOR
    assert Database(living.lab, NEXT).ask("SELECT count(*) FROM statuses") == rows
    # The planner knows its tables.
    assert (
        Database(living.lab, NEXT).ask("SELECT count(*) > 0 FROM pg_statistic WHERE starelid = 'statuses'::regclass")
        == "t"
    )
    # What waited of the same rows waits on.
    assert living.redis("EXISTS", "queue:none", "dead", "feed:home:999") == "3"


def test_the_former_database_is_hibernated_and_the_new_one_archives_beside_it(living: Living) -> None:
    assert living.asleep(NAME)
    Database(living.lab, NEXT).archive()
    assert Bucket(living.lab).servers() == {NAME, NEXT}


def test_people_get_an_answer(living: Living) -> None:
    assert eventually(lambda: served(living.lab, DOMAIN), lambda found: found == DOMAIN) == DOMAIN


def test_the_same_command_again_and_site_change_nothing(living: Living) -> None:
    for run in (major(living), living.lab.site(*SETTINGS)):
        assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-4000:]
    assert living.asleep(NAME)


def test_what_is_backed_up_of_the_new_one_can_be_restored(living: Living) -> None:
    run = living.lab.playbook("rehearse.yml", *SETTINGS)
    assert run.returncode == 0, run.output[-4000:]


def test_the_way_back_wants_the_former_image_and_leads_to_what_was_there(living: Living) -> None:
    Database(living.lab, NEXT).post("the one after")
    mark, run = living.lab.audit_mark(), living.restore("-e", f"restore_back={NAME}")
    assert run.returncode == 2
    assert f"Set cnpg_cluster_image to {OLDER}." in said(run)
    assert living.lab.our_writes(mark) == []
    run = living.restore("-e", f"restore_back={NAME}", *BEFORE)
    assert run.returncode == 0, run.output[-6000:]
    assert version(living, NAME) == versions.OLDER_POSTGRESQL_MAJOR
    posts = living.posts(NAME)
    assert "the one before" in posts
    assert "the one after" not in posts
    run = living.lab.site(*SETTINGS, *BEFORE)
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-3000:]
