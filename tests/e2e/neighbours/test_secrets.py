# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second Mastodon's secrets of mail, of backups and of volumes, changed in Vault. Last, as no backup can be made afterwards."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ...conftest import Lab, Run
from .conftest import SECOND, VOLUME, Neighbours

LOGIN = {"access-key-id": "another-key", "secret-access-key": "another-secret-key"}
CHANGED = {
    "postgresql-backup": LOGIN,
    "restic": {"password": "another-password-of-restic", **LOGIN},
    "smtp": {"password": "another-password-of-the-mail-server"},
}


def held(lab: Lab, name: str) -> set[str]:
    data = lab.get("secret", "-n=mastodon", name)["data"]
    return {base64.b64decode(value).decode() for value in data.values()}


@pytest.fixture(scope="module")
def changed(neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run after they were changed, by somebody who no longer gives them as settings."""
    settings = json.loads(Path(neighbours.settings).read_text())
    del settings["vault_given_secrets"]
    kept = tmp_path_factory.mktemp("changed") / "settings.json"
    kept.write_text(json.dumps(settings))
    for name, data in CHANGED.items():
        neighbours.lab.vault().secrets.kv.v2.patch(f"mastodon/{SECOND}/{name}", dict(data), mount_point="secret")
    first = neighbours.lab.site("-e", f"@{kept}")
    assert first.returncode == 0, first.output[-6000:]
    assert neighbours.lab.site("-e", f"@{kept}").recap["changed"] == 0
    return first


def test_what_reads_its_secret_at_each_use_finds_the_new_one(neighbours: Neighbours, changed: Run) -> None:
    assert held(neighbours.lab, "second-db-backup") == set(LOGIN.values())
    assert held(neighbours.lab, f"{VOLUME}-restic") > set(CHANGED["restic"].values())
    assert "until restic key add adds this one" in changed.output


def test_what_sends_mail_has_the_new_login(neighbours: Neighbours, changed: Run) -> None:
    command = ("exec", "-n=mastodon", "deploy/second-mastodon-sidekiq-all-queues", "-c=mastodon", "--")
    assert neighbours.lab.kubectl(*command, "printenv", "SMTP_PASSWORD").strip() == CHANGED["smtp"]["password"]
    assert not [value for data in CHANGED.values() for value in data.values() if value in changed.output]
