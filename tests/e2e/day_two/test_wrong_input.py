# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each obvious mistake ends with one sentence, before anything is written."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from ...conftest import Lab
from ..support import eventually

NOBODY = {"vault_address": "http://127.0.0.1:9", "external_secrets_vault_address": "http://vault.example.org:8200"}
MISTAKES = {
    "no kubeconfig": ({"kubeconfig": "/nonexistent/kubeconfig"}, "/nonexistent/kubeconfig"),
    "missing domain": ({"mastodon_local_domain": ""}, "Variable mastodon_local_domain: missing."),
    "misspelt variable": ({"mastodon_lokal_domain": "x"}, "Did you mean mastodon_local_domain?"),
    "vault unreachable": (NOBODY, "http://127.0.0.1:9"),
    "no gateway class": ({"gateway_class": ""}, "Variable gateway_class: missing"),
}


def refused(lab: Lab, variables: dict[str, str], sentence: str) -> None:
    """Run site.yml with these variables and expect this sentence, no traceback and no write."""
    mark = lab.audit_mark()
    run = lab.site("-e", json.dumps(variables))
    assert run.returncode != 0
    assert sentence in run.output, run.output[-3000:]
    assert "Traceback" not in run.output
    assert run.recap["changed"] == 0
    assert lab.our_writes(mark) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_setting_is_refused_before_anything_is_written(lab: Lab, mistake: str) -> None:
    refused(lab, *MISTAKES[mistake])


@pytest.mark.parametrize("option", ["--tags", "--skip-tags"])
def test_a_tag_that_no_task_has_is_refused_and_named(lab: Lab, option: str) -> None:
    mark = lab.audit_mark()
    run = lab.site(option, "mastdon")
    assert run.returncode != 0
    assert "Tag mastdon: no task has it. Did you mean mastodon?" in run.output
    assert lab.our_writes(mark) == []


def test_a_cluster_and_a_vault_that_are_not_there_are_told_together(lab: Lab) -> None:
    run = lab.site("-e", json.dumps({"kubeconfig": "/nonexistent/kubeconfig", **NOBODY}))
    assert "Kubeconfig /nonexistent/kubeconfig: does not exist." in run.output
    assert "Vault http://127.0.0.1:9: cannot be reached: Connection refused." in run.output


def test_a_wrong_vault_token_is_refused(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s.not-a-token")
    refused(lab, {"vault_token_file": str(tmp_path / "token")}, "token")


def test_a_wrong_cluster_token_is_refused(lab: Lab, tmp_path: Path) -> None:
    config = json.loads(lab.kubectl("config", "view", "--raw", "-o=json"))
    config["users"][0]["user"] = {"token": "not-a-token"}
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    refused(lab, {"kubeconfig": str(tmp_path / "kubeconfig")}, "401")


def test_a_sealed_vault_is_refused(lab: Lab) -> None:
    facts = lab.facts
    token = Path(facts["vault_token_file"]).read_text().strip()
    seal = urllib.request.Request(
        f"{facts['vault_address']}/v1/sys/seal", method="PUT", headers={"X-Vault-Token": token}
    )
    with urllib.request.urlopen(seal, timeout=10):
        pass
    try:
        refused(lab, {}, "sealed")
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
