# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup is made on real CloudNativePG, Barman, S3 and OpenBao: of the database, and of the keys that it is worth nothing without."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest
from pyrage import x25519

from ...conftest import SEED, Run
from ..zone import DOMAIN
from .archive import SETTINGS, SPACE, Archive, said

PLAYBOOK = "backup.yml"
# How long a run takes that is not killed, or less.
LATEST = 15.0
PATH = f"mastodon/{DOMAIN}"


@dataclass(frozen=True)
class Owner:
    """Who can open backups of Vault, and where they are."""

    archive: Archive
    folder: Path
    key: x25519.Identity

    def back_up(self, *arguments: str) -> Run:
        given = {"vault_backup_recipients": [str(self.key.to_public())], "vault_backup_folder": str(self.folder)}
        return self.archive.lab.playbook(PLAYBOOK, *SETTINGS, "-e", json.dumps(given), *arguments)

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("vault-*.age"))


@pytest.fixture(scope="module")
def owner(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Owner:
    folder, key = tmp_path_factory.mktemp("owner"), x25519.Identity.generate()
    (folder / "key").write_text(f"{key}\n")
    return Owner(archive, folder, key)


def test_what_would_be_done_is_said_and_nothing_is_written(owner: Owner) -> None:
    lab = owner.archive.lab
    mark, before = lab.audit_mark(), lab.vault_versions()
    run = owner.back_up("--check")
    assert run.returncode == 0, run.output[-3000:]
    assert f"would write Vault's secret/{PATH}/admin, secret/{PATH}/app, " in said(run)
    assert "would make a base backup of Cluster mastodon/mastodon-db to s3://mastodon/mastodon-db at http" in said(run)
    assert (lab.our_writes(mark), lab.vault_versions(), owner.files()) == ([], before, [])


def test_database_and_vault_are_backed_up_and_that_is_reported(owner: Owner) -> None:
    archive, before = owner.archive, len(owner.archive.backups())
    archive.post("before a backup")
    run = owner.back_up()
    assert run.returncode == 0, run.output[-4000:]
    newest = archive.backups()[-1]
    assert (len(archive.backups()), newest["status"]["phase"]) == (before + 1, "completed")
    # What it cannot be restored without is in the bucket, and the plugin knows of it.
    assert {newest["status"]["beginWal"], newest["status"]["endWal"]} <= archive.names().keys()
    assert re.search(rf"Backup {newest['metadata']['name']} was complete after \d+ s, with its WAL up to ", said(run))
    status = said(archive.lab.playbook("status.yml", *SETTINGS))
    assert re.search(rf"Backup of Vault of {DOMAIN}: Current, \d+ s old, \d+ paths for 1 recipients in ", status)
    assert re.search(r"last backup \d+ s ago, its store http\S+ is in the cluster that it must survive", status)
    doctor = said(archive.lab.playbook("doctor.yml", *SETTINGS))
    assert f"ok Vault of {DOMAIN}: was backed up at " in doctor
    assert archive.left() == []


def test_the_file_has_all_of_vault_and_nothing_of_it_was_shown(owner: Owner) -> None:
    lab, [file] = owner.archive.lab, owner.files()
    secrets = json.loads(pyrage.decrypt(file.read_bytes(), [owner.key]))["secrets"]
    assert secrets[f"{PATH}/app"]["data"] == lab.stored("app")
    versions = {path: str(one["version"]) for path, one in secrets.items()}
    assert versions == {path: number for path, number in lab.vault_versions().items() if path.startswith(f"{PATH}/")}
    record = lab.kubectl("get", "configmap", f"-n={SPACE}", f"vault-backup-{DOMAIN}", "-o=json")
    # It is no secret by what the owner's account was made.
    values = [value for one in secrets.values() for key, value in one["data"].items() if key != "made-by"]
    assert [value for value in values if len(value) > 8 and value in record] == []


def test_what_vault_lost_comes_back_and_what_it_has_is_not_overwritten(owner: Owner) -> None:
    lab, [file] = owner.archive.lab, owner.files()
    kv, note = lab.vault().secrets.kv.v2, lab.stored("admin")
    other = {**note, "password": f"not-{note['password']}"}
    given = ("-e", f"file={file}", "-e", f"identity_file={owner.folder / 'key'}")
    kv.delete_metadata_and_all_versions(f"{PATH}/admin", mount_point="secret")
    run = lab.playbook("restore_vault.yml", *SETTINGS, *given)
    assert run.returncode == 0, run.output[-3000:]
    assert (lab.stored("admin"), run.recap["changed"]) == (note, 1)
    assert lab.playbook("restore_vault.yml", *SETTINGS, *given).recap["changed"] == 0
    kv.create_or_update_secret(f"{PATH}/admin", other, mount_point="secret")
    before = lab.vault_versions()
    run = lab.playbook("restore_vault.yml", *SETTINGS, *given)
    assert run.returncode == 2
    assert f"Vault path secret/{PATH}/admin: is not restored: it holds another password than the file" in said(run)
    assert note["password"] not in run.output
    run = lab.playbook("restore_vault.yml", *SETTINGS, *given, "-e", '{"keep": ["admin"]}')
    assert (run.returncode, lab.vault_versions()) == (0, before)
    status = said(lab.playbook("status.yml", *SETTINGS))
    assert f"Backup of Vault of {DOMAIN}: Outdated, " in status
    assert f"written since: {PATH}/admin" in status
    kv.create_or_update_secret(f"{PATH}/admin", note, mount_point="secret")


def test_what_is_not_archived_is_not_backed_up_and_vault_is(owner: Owner) -> None:
    archive, before, files = owner.archive, len(owner.archive.backups()), len(owner.files())
    with archive.not_archiving():
        run = owner.back_up()
    assert run.returncode == 2
    assert "Cluster mastodon/mastodon-db: does not archive its WAL: " in said(run)
    assert (len(archive.backups()), len(owner.files())) == (before, files + 1)
    assert "backup asked for " in said(archive.lab.playbook("status.yml", *SETTINGS))


def test_after_any_kill_the_next_run_makes_one_that_can_be_restored(owner: Owner) -> None:
    archive, chance = owner.archive, random.Random(SEED)
    for moment in sorted(chance.uniform(2, LATEST) for _one in range(3)):
        archive.lab.killed(f"playbooks/{PLAYBOOK}", moment)
    run = owner.back_up()
    assert run.returncode == 0, run.output[-4000:]
    phases = {one["status"].get("phase") for one in archive.backups() if "-now-" in one["metadata"]["name"]}
    assert phases == {"completed"}
    assert "mastodon-db-backup" not in archive.lab.kubectl("get", "leases", f"-n={SPACE}", "-o=name")
