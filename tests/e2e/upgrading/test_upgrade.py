# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon climbs from 4.5 to 4.7 through the gate, on real CloudNativePG and Flux: refused, killed, stopped half-way and gone on with."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ...conftest import SEED, Lab, Run
from ..data.archive import NAME, SETTINGS, SPACE, Archive, said
from ..support import connected, eventually
from ..zone import DOMAIN
from .shown import shown

PLAYBOOK = "upgrade.yml"
OLD, MIDDLE, NEW = "v4.5.20", "v4.6.9", "v4.7.2"
ACCEPTED = json.dumps({"mastodon_upgrade_accept": ["4.7:no_way_back", "4.7:duplicates"]})
# How many runs are killed, and the latest moment of a run at which one is.
KILLS, LATEST = int(os.environ.get("TEST_KILLS", "3")), 40.0
# Which nothing of upstream's refuses, but some tool made: a migration that comes after the roll-out wants this name.
IN_THE_WAY = "old_index_accounts_on_uri"
TWINS = """
    INSERT INTO accounts (id, username, domain, uri, last_webfingered_at) VALUES
    (901, 'a', 'one.test', 'https://one.test/a', '2026-01-01'), (902, 'b', 'one.test', 'https://one.test/a', '2026-06-01')
    ON CONFLICT DO NOTHING
"""
# Longer than any run that looks at it takes to get there.
SLEEP = "BEGIN; SELECT count(*) FROM accounts; SELECT pg_sleep(1200)"
SLEEPING = "FROM pg_stat_activity WHERE query LIKE 'BEGIN; SELECT%' AND pid <> pg_backend_pid()"


def begun(lab: Lab, tag: str) -> Archive:
    """A Mastodon of this release, with backups."""
    run = lab.site(*SETTINGS, "-e", f"mastodon_image_tag={tag}")
    assert run.returncode == 0, run.output[-6000:]
    found = Archive(lab)
    eventually(found.last_backup, bool, 300)
    found.archive()
    return found


@pytest.fixture(scope="module")
def archive(lab: Lab) -> Archive:
    """One of the oldest series."""
    return begun(lab, OLD)


@pytest.fixture(scope="module")
def climbed(lab: Lab) -> Archive:
    """One of the series from which the next step has no return, whichever tests ran before."""
    if not lab.get("deployment", f"-n={SPACE}", "mastodon-web", "--ignore-not-found"):
        return begun(lab, MIDDLE)
    found = Archive(lab)
    if version(lab) == OLD:
        run = upgrade(found, MIDDLE, "-e", json.dumps({"mastodon_upgrade_accept": ["4.6:unrehearsed"]}))
        assert run.returncode == 0, run.output[-6000:]
    assert version(lab) == MIDDLE, "the step without return was taken before: these tests run in their order"
    return found


@pytest.fixture(scope="module")
def stopped(climbed: Archive) -> tuple[Archive, Run]:
    """That step, which fails at a migration after the roll-out, and the run that took it."""
    rehearsed = climbed.rehearse("-e", f"mastodon_image_tag={MIDDLE}")
    assert rehearsed.returncode == 0, rehearsed.output[-4000:]
    climbed.ask(TWINS)
    climbed.ask(f"CREATE TABLE {IN_THE_WAY} ()")
    return climbed, upgrade(climbed, NEW, "-e", ACCEPTED)


def upgrade(archive: Archive, tag: str, *arguments: str) -> Run:
    return archive.lab.playbook(PLAYBOOK, *SETTINGS, "-e", f"mastodon_image_tag={tag}", *arguments)


def answered(lab: Lab, path: str) -> Any:
    with connected(lab, DOMAIN) as connection:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())


def version(lab: Lab) -> str:
    return f"v{answered(lab, '/api/v2/instance')['version']}"


def paused(lab: Lab) -> set[bool]:
    return {bool(one["spec"].get("suspend")) for one in lab.get("cronjobs", f"-n={SPACE}")["items"]}


def record(lab: Lab) -> dict[str, str]:
    found: dict[str, str] = lab.get("configmap", f"-n={SPACE}", "mastodon-upgrade")["data"]
    return found


@contextmanager
def held(archive: Archive) -> Iterator[None]:
    """Let a superuser stay in a transaction for a while, as somebody does who forgot a shell."""
    where = [archive.lab.facts["kubectl"], f"--kubeconfig={archive.lab.facts['kubeconfig']}", "exec", f"-n={SPACE}"]
    psql = [archive.primary(), "-c=postgres", "--", "psql", "--no-psqlrc", "--dbname=mastodon", "--command", SLEEP]
    with subprocess.Popen([*where, *psql], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as shell:
        eventually(lambda: archive.ask(f"SELECT count(*) {SLEEPING}"), lambda found: found == "1", 60)
        try:
            yield
            assert archive.ask(f"SELECT count(*) {SLEEPING}") == "1", "it ended before it was looked for"
        finally:
            archive.ask(f"SELECT pg_terminate_backend(pid) {SLEEPING}")
            shell.kill()


def test_a_backup_that_nobody_restored_is_refused_and_nothing_is_written(archive: Archive) -> None:
    mark = archive.lab.audit_mark()
    run = upgrade(archive, MIDDLE, "--check")
    assert run.returncode != 0
    assert (
        f"Cluster {SPACE}/{NAME}: was not restored to see that it can be: no restore of it was rehearsed yet"
        in said(run)
    )
    assert archive.lab.our_writes(mark) == []


def test_after_a_rehearsal_check_mode_says_that_it_may_go(archive: Archive) -> None:
    rehearsed = archive.rehearse("-e", f"mastodon_image_tag={OLD}")
    assert rehearsed.returncode == 0, rehearsed.output[-4000:]
    mark = archive.lab.audit_mark()
    run = upgrade(archive, MIDDLE, "--check")
    assert run.returncode == 0, run.output[-4000:]
    assert f"would upgrade Mastodon {SPACE}/mastodon from {OLD} to {MIDDLE}" in said(run)
    assert archive.lab.our_writes(mark) == []


def test_an_image_that_no_node_can_pull_ends_it_before_anything_is_changed(archive: Archive) -> None:
    before = archive.lab.get("helmrelease", f"-n={SPACE}", "mastodon")["spec"]
    run = upgrade(archive, "v4.6.99")
    assert run.returncode != 0
    assert re.search(r"Image ghcr\.io/mastodon/mastodon(-streaming)?:v4\.6\.99: cannot be pulled: ", said(run))
    assert archive.lab.get("helmrelease", f"-n={SPACE}", "mastodon")["spec"] == before
    assert "mastodon-images" not in archive.lab.kubectl("get", "pods", f"-n={SPACE}", "-o=name")


def test_killed_anywhere_the_next_run_goes_on_and_ends_it(archive: Archive) -> None:
    chance, tag = random.Random(SEED), f"mastodon_image_tag={MIDDLE}"
    for moment in sorted(chance.uniform(2, LATEST) for _one in range(KILLS)):
        archive.lab.killed(f"playbooks/{PLAYBOOK}", moment, *SETTINGS, "-e", tag)
    run = upgrade(archive, MIDDLE)
    assert run.returncode == 0, run.output[-6000:]
    assert (version(archive.lab), paused(archive.lab)) == (MIDDLE, {False})
    kept = record(archive.lab)
    assert (kept["before"], kept["wanted"], kept["failure"]) == (OLD, MIDDLE, "")
    assert kept["ended"]
    assert "mastodon-images" not in archive.lab.kubectl("get", "pods", f"-n={SPACE}", "-o=name")


def test_what_runs_already_is_left_alone_and_site_has_nothing_to_do(archive: Archive) -> None:
    run = upgrade(archive, MIDDLE)
    assert (run.returncode, run.recap["changed"]) == (0, 0), run.output[-4000:]
    assert f"runs {MIDDLE} already" in said(run)
    again = archive.lab.site(*SETTINGS, "-e", f"mastodon_image_tag={MIDDLE}")
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-4000:]


def test_all_that_speaks_against_the_step_without_return_is_said_at_once(climbed: Archive) -> None:
    archive = climbed
    archive.ask(TWINS)
    archive.ask("UPDATE users SET otp_secret = 'broken' WHERE id = (SELECT min(id) FROM users)")
    suspend = '{"spec":{"suspend":%s}}'
    archive.lab.kubectl("delete", "configmap", f"-n={SPACE}", f"{NAME}-rehearsal", "--ignore-not-found")
    patch = ("patch", "helmrelease", f"-n={SPACE}", "mastodon", "--type=merge", "-p")
    archive.lab.kubectl(*patch, suspend % "true")
    mark = archive.lab.audit_mark()
    try:
        with held(archive):
            run = upgrade(archive, NEW, "--check")
    finally:
        archive.lab.kubectl(*patch, suspend % "false")
        archive.ask("UPDATE users SET otp_secret = NULL")
    assert run.returncode != 0
    assert archive.lab.our_writes(mark) == []
    for sentence in (
        f"cannot go back to {MIDDLE} once it is v4.7",
        f"HelmRelease {SPACE}/mastodon: is suspended",
        f"Cluster {SPACE}/{NAME}: was not restored to see that it can be",
        "has 1 ActivityPub ids with more than one account",
        "1 of 1 rows of users.otp_secret are not as Active Record encrypts them",
        "is held by psql of postgres (process ",
    ):
        assert sentence in said(run), sentence
    assert shown("Of a step that much speaks against, in the lab", run), "run UPDATE_DOCS=1 pytest tests/e2e/upgrading"


def test_a_migration_that_fails_after_the_roll_out_is_named_with_what_serves(stopped: tuple[Archive, Run]) -> None:
    archive, run = stopped
    assert run.returncode != 0
    assert (
        f"Mastodon {SPACE}/mastodon: stopped on its way from {MIDDLE} to {NEW}: Job {SPACE}/mastodon-db-migrate: "
        in said(run)
    )
    assert (
        "failed after the roll-out at migration 20260720103819 RenameIndexAccountsOnUriToOld: PG::DuplicateTable: "
        in said(run)
    )
    # What ran before it is kept, and was said when it ran.
    assert "after the roll-out: migration 20260702144128 MigrateLocalAccountKeypairs ran in " in said(run)
    assert f"of web {NEW}" in said(run)
    assert "ansible-playbook -i inventories/lab fediverse.mastodon.upgrade again" in said(run)
    assert record(archive.lab)["backup"] in {one["metadata"]["name"] for one in archive.backups()}
    assert shown("Of a step whose last migrations failed, in the lab", run), (
        "run UPDATE_DOCS=1 pytest tests/e2e/upgrading"
    )
    # The new release serves, and what schedules begin stands still.
    assert (version(archive.lab), paused(archive.lab)) == (NEW, {True})
    assert f"upgrade from {MIDDLE} to {NEW}, begun " in said(archive.lab.playbook("status.yml", *SETTINGS))


@pytest.mark.parametrize("playbook", ["upgrade.yml", "site.yml"])
def test_nobody_goes_back_from_there(stopped: tuple[Archive, Run], playbook: str) -> None:
    archive, _run = stopped
    mark, tag = archive.lab.audit_mark(), ("-e", f"mastodon_image_tag={MIDDLE}")
    run = archive.lab.playbook(playbook, *SETTINGS, *tag)
    assert run.returncode != 0
    assert f"cannot go back from {NEW} to {MIDDLE}" in said(run)
    assert archive.lab.our_writes(mark) == []


def test_what_stopped_is_gone_on_with_to_its_end(stopped: tuple[Archive, Run]) -> None:
    archive, _run = stopped
    archive.ask(f"DROP TABLE {IN_THE_WAY}")
    backups = len(archive.backups())
    run = upgrade(archive, NEW, "-e", ACCEPTED)
    assert run.returncode == 0, run.output[-6000:]
    assert shown("Of the run that went on once that was corrected", run), "run UPDATE_DOCS=1 pytest tests/e2e/upgrading"
    assert (len(archive.backups()), version(archive.lab), paused(archive.lab)) == (backups, NEW, {False})
    # Keys are moved and encrypted, and twins are merged.
    assert archive.ask("SELECT count(*) FROM accounts WHERE private_key IS NOT NULL") == "0"
    assert archive.ask("SELECT count(*) FROM accounts WHERE uri = 'https://one.test/a'") == "1"
    assert answered(archive.lab, "/actor")["publicKey"]["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    status = said(archive.lab.playbook("status.yml", *SETTINGS, "-e", f"mastodon_image_tag={NEW}"))
    assert re.search(rf"upgraded from {MIDDLE} to {NEW} in \d+ s, ", status)
    again = archive.lab.site(*SETTINGS)
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-4000:]
