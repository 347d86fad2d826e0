# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of role vault as Ansible runs them, with a token that may do nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.integration.plays import ROOT, run_play
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import Bao

TASKS: list[dict[str, Any]] = yaml.safe_load((ROOT / "roles/vault/tasks/instance.yml").read_text(encoding="utf-8"))
LOOPS = {task["name"]: task for task in TASKS if "loop" in task}
SETTINGS = {
    "vault_policies": [{"name": name, "rules": ""} for name in ("reader", "reader-dns")],
    "vault_logins": [{"name": name, "policy": name} for name in ("reader", "reader-dns")],
    "vault_auth_mount": "kubernetes",
    "vault_kubernetes_host": "https://kubernetes.default.svc",
    "vault_reviewer_secret": "",
    "vault_audience": "vault",
    "external_secrets_service_account": "external-secrets",
    "external_secrets_namespace": "external-secrets",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_ends_with_the_sentence_of_its_first_failure(server: Bao, tmp_path: Path, name: str) -> None:
    token = server.api.auth.token.create(policies=["default"], ttl="10m")["auth"]["client_token"]
    settings = {**SETTINGS, "vault_address": server.address, "vault_token": token}
    output = run_play(tmp_path, {"vars": settings, "tasks": [LOOPS[name]]}).stdout
    failed = re.findall(r'^failed: .*"msg": "(.*?)"', output, re.MULTILINE)
    assert len(failed) == 1, output
    assert re.match(rf"Vault {server.address}: .* is not allowed: permission denied\. Give the token ", failed[0])
    assert "One or more items failed" not in output
