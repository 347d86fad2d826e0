# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a backup of Vault is found again, and the doctor and the status say when it is none to rely on."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import status, vault_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.vault_backup import VaultBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import CONFIG_MAP
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
GOOD = VaultBackup("2026-11-29T03:00:00Z", "secret", '{"a/app": "T1", "a/smtp": "T2"}', "/b/vault.age", "laptop", "2")
BAD = VaultBackup("2026-11-29T03:00:00Z", failure="Vault http://bao: is sealed.")
SAME = {"a/app": "T1", "a/smtp": "T2"}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
NOBODY = "vault_backup_recipients names nobody who could open a backup of it"


def looked(last: VaultBackup | None, live: dict[str, str], *, wanted: bool = True) -> Finding:
    changed = last.changed(live) if last else ""
    return find(lambda: vault_backup.is_fresh(last, changed, "example.org", NOW, wanted=wanted))


@pytest.mark.parametrize("made", [GOOD, BAD])
def test_what_was_kept_is_read_again(made: VaultBackup) -> None:
    api = FakeApi(NAMESPACE)
    body = vault_backup.place_of("mastodon", "example.org").body(asdict(made))
    api.apply(CONFIG_MAP, body, manager=MANAGER, force=True, dry_run=False)
    assert vault_backup.read(api, "mastodon", "example.org") == made
    assert vault_backup.read(api, "mastodon", "other.org") is None


@pytest.mark.parametrize(
    ("last", "live", "state", "text"),
    [
        (GOOD, SAME, "ok", "was backed up at 2026-11-29T03:00:00Z, 2 paths for 2 recipients in /b/vault.age on laptop"),
        (None, {}, "warning", "was not backed up yet. Make one: ansible-playbook"),
        (BAD, {}, "warning", "its last backup failed at 2026-11-29T03:00:00Z: Vault http://bao: is sealed."),
        (
            GOOD,
            {"a/app": "T1", "a/smtp": "T3"},
            "warning",
            "is not as it was backed up at 2026-11-29T03:00:00Z: written since: a/smtp.",
        ),
        (GOOD, {**SAME, "a/dns": "T1"}, "warning", "written since: a/dns."),
        (replace(GOOD, ended="2026-10-01T03:00:00Z"), SAME, "warning", "was not backed up for 31 days"),
    ],
)
def test_the_doctor_says_what_the_last_one_is_worth(
    last: VaultBackup | None, live: dict[str, str], state: str, text: str
) -> None:
    found = looked(last, live)
    assert (found.state, text in found.text) == (state, True), found.text


def test_where_nobody_asked_for_one_it_is_skipped_and_says_why() -> None:
    assert looked(None, {}, wanted=False) == Finding(
        "skipped", f"Vault of example.org: whether it is backed up is not known, as {NOBODY}"
    )
    assert looked(BAD, {}, wanted=False).state == "warning"


@pytest.mark.parametrize(
    ("last", "live", "line"),
    [
        (GOOD, SAME, "Current, 9 h old, 2 paths for 2 recipients in /b/vault.age on laptop"),
        (
            GOOD,
            {**SAME, "a/app": "T2"},
            "Outdated, 9 h old, 2 paths for 2 recipients in /b/vault.age on laptop, written since: a/app",
        ),
        # A path that is not there was never written.
        (GOOD, {**SAME, "a/dns": ""}, "Current, 9 h old, 2 paths for 2 recipients in /b/vault.age on laptop"),
        (BAD, SAME, "Failed, 9 h old, failed: Vault http://bao: is sealed."),
        (None, SAME, "NotThere, fediverse.mastodon.backup makes one for vault_backup_recipients"),
    ],
)
def test_the_status_says_so_in_a_line(last: VaultBackup | None, live: dict[str, str], line: str) -> None:
    assert status.of_vault(last, "example.org", live, NOW).line() == f"Backup of Vault of example.org: {line}"
