# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database runs by another image of its major: checked, backed up, waited for; corrected where there is no such image; no other major."""

from __future__ import annotations

import pytest
from mastodon_lab.build.images import POSTGRESQL_IMAGE

from ...conftest import Run
from ..support import eventually, served
from ..zone import DOMAIN
from .archive import CLUSTERS, NAME, SETTINGS, SPACE, Archive, said

NAMES = POSTGRESQL_IMAGE.rpartition(":")[0]


@pytest.fixture(scope="module")
def other(archive: Archive) -> str:
    """The same PostgreSQL under its whole version, which is another image to everybody."""
    return f"{NAMES}:{archive.ask('SHOW server_version').split()[0]}"


def upgrade(archive: Archive, image: str, *arguments: str) -> Run:
    return archive.lab.playbook("upgrade.yml", *SETTINGS, "-e", f"cnpg_cluster_image={image}", *arguments)


def images(archive: Archive) -> set[str]:
    """By what instances run."""
    pods = archive.lab.get("pods", f"-n={SPACE}", f"-l=cnpg.io/cluster={NAME},cnpg.io/podRole=instance")["items"]
    return {one["image"] for pod in pods for one in pod["spec"]["containers"] if one["name"] == "postgres"}


def test_check_mode_says_in_which_order_and_another_major_is_refused(archive: Archive, other: str) -> None:
    mark = archive.lab.audit_mark()
    run = upgrade(archive, other, "--check")
    assert run.returncode == 0, run.output[-4000:]
    goes = f"Cluster {SPACE}/{NAME} goes from {POSTGRESQL_IMAGE} to {other}: CloudNativePG starts anew {archive.primary()}, its only instance"
    assert goes in said(run)
    run = upgrade(archive, f"{NAMES}:99")
    assert run.returncode != 0
    assert "and its image would make it 99: CloudNativePG would stop every instance and rewrite the data" in said(run)
    assert archive.lab.our_writes(mark) == []


def test_an_image_that_is_not_there_is_named_and_then_corrected(archive: Archive, other: str) -> None:
    run = upgrade(archive, f"{other}99", "-e", "cnpg_wait_timeout=120")
    assert run.returncode != 0
    assert f"{other}99" in said(run)
    backups = len(archive.backups())
    run = upgrade(archive, other)
    assert run.returncode == 0, run.output[-6000:]
    assert (images(archive), len(archive.backups())) == ({other}, backups)


def test_the_database_is_backed_up_and_every_instance_runs_by_it(archive: Archive, other: str) -> None:
    archive.post("before the image")
    before, backups = images(archive), len(archive.backups())
    wanted = POSTGRESQL_IMAGE if before == {other} else other
    run = upgrade(archive, wanted)
    assert run.returncode == 0, run.output[-6000:]
    assert (images(archive), len(archive.backups())) == ({wanted}, backups + 1)
    assert archive.lab.get(CLUSTERS, f"-n={SPACE}", NAME)["status"]["image"] == wanted
    assert archive.ask("SELECT count(*) FROM statuses WHERE text = 'before the image'") == "1"
    assert eventually(lambda: served(archive.lab, DOMAIN), lambda found: found == DOMAIN) == DOMAIN
    again = archive.lab.site(*SETTINGS, "-e", f"cnpg_cluster_image={wanted}")
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-4000:]
