# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each obvious mistake that no file of tests/wrong_config can make ends with one sentence, before anything is written."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from ...conftest import Lab, Run
from ..support import eventually

NOWHERE = {
    "kubeconfig": "/nonexistent/kubeconfig",
    "vault_address": "http://127.0.0.1:9",
    "external_secrets_vault_address": "http://vault.example.org:8200",
}


def refused(lab: Lab, sentence: str, *arguments: str) -> None:
    """Run site.yml and expect this sentence, no traceback and no write."""
    mark = lab.audit_mark()
    run = lab.site(*arguments)
    assert run.returncode != 0
    assert sentence in run.output, run.output[-3000:]
    assert "Traceback" not in run.output
    assert run.recap["changed"] == 0
    assert lab.our_writes(mark) == []


@pytest.fixture(scope="module")
def astray(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with addresses that lead nowhere, and with tokens that nobody knows."""
    folder = tmp_path_factory.mktemp("astray")
    (folder / "token").write_text("s.not-a-token")
    config = json.loads(lab.kubectl("config", "view", "--raw", "-o=json"))
    config["users"][0]["user"] = {"token": "not-a-token"}
    (folder / "kubeconfig").write_text(json.dumps(config))
    mark = lab.audit_mark()
    run = lab.site_of_many(
        folder,
        {
            "nowhere": NOWHERE,
            "vault_token": {"vault_token_file": str(folder / "token")},
            "cluster_token": {"kubeconfig": str(folder / "kubeconfig")},
        },
    )
    assert lab.our_writes(mark) == []
    return run


@pytest.mark.parametrize("option", ["--tags", "--skip-tags"])
def test_a_tag_that_no_task_has_is_refused_and_named(lab: Lab, option: str) -> None:
    mark = lab.audit_mark()
    run = lab.site(option, "mastdon")
    assert run.returncode != 0
    assert "Tag mastdon: no task has it. Did you mean mastodon?" in run.output
    assert lab.our_writes(mark) == []


def test_a_cluster_and_a_vault_that_are_not_there_are_reported_together(astray: Run) -> None:
    said = astray.refusal_of("nowhere")
    assert "Kubeconfig /nonexistent/kubeconfig: does not exist." in said
    assert "Vault http://127.0.0.1:9: cannot be reached: Connection refused." in said


@pytest.mark.parametrize(("host", "sentence"), [("vault_token", "token"), ("cluster_token", "401")])
def test_a_wrong_token_is_refused(astray: Run, host: str, sentence: str) -> None:
    assert sentence in astray.refusal_of(host)


def test_nothing_changes_where_a_run_is_led_astray(astray: Run) -> None:
    assert astray.changed == {"nowhere": 0, "vault_token": 0, "cluster_token": 0}
    assert "Traceback" not in astray.output


def test_a_sealed_vault_is_refused(lab: Lab) -> None:
    facts = lab.facts
    token = Path(facts["vault_token_file"]).read_text().strip()
    seal = urllib.request.Request(
        f"{facts['vault_address']}/v1/sys/seal", method="PUT", headers={"X-Vault-Token": token}
    )
    with urllib.request.urlopen(seal, timeout=10):
        pass
    try:
        refused(lab, "sealed")
    finally:
        # The static seal opens it again when its pod starts anew.
        lab.kubectl("delete", "pod", "-n=openbao", "--all", "--wait=true")
        eventually(lambda: vault_is_open(facts["vault_address"]), bool)


def vault_is_open(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/v1/sys/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
