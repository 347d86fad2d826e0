# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml on a real cluster: what it promises, watched."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from hvac import Client

from ...conftest import LAB_NAME, ROOT, Lab
from ..support import eventually
from ..zone import DOMAIN
from .conftest import Story


def test_check_mode_on_an_empty_cluster_reaches_the_end_and_writes_nothing(story: Story) -> None:
    assert story.empty_check.returncode == 0, story.empty_check.output[-4000:]
    assert story.empty_check.recap["failed"] == 0
    assert story.empty_check.recap["changed"] > 0
    assert "created HelmRelease mastodon/mastodon" in story.empty_check.output
    assert story.empty_check_writes == []


def test_the_second_run_changes_and_writes_nothing(story: Story) -> None:
    assert story.second.returncode == 0, story.second.output[-4000:]
    assert story.second.recap["changed"] == 0
    assert story.second_writes == []
    assert "[WARNING]" not in story.second.output


def test_the_secrets_of_the_second_run_are_those_of_the_first(laid_down: Lab, story: Story) -> None:
    before = laid_down.get("secret", "-n=mastodon")
    assert laid_down.site("--tags", "vault").recap["changed"] == 0
    after = laid_down.get("secret", "-n=mastodon")
    assert data_of(before) == data_of(after)


def data_of(secrets: Any) -> dict[str, Any]:
    return {item["metadata"]["name"]: item.get("data") for item in secrets["items"]}


def test_mastodon_answers_posts_and_keeps_what_it_was_given(laid_down: Lab) -> None:
    proof = subprocess.run(
        [str(ROOT / "lab/prove"), "--name", LAB_NAME], capture_output=True, text=True, timeout=300, check=False
    )
    assert proof.returncode == 0, proof.stdout + proof.stderr
    for line in ("webfinger", "nodeinfo/2.0", "api/v2/instance", "S3 bucket", "database", "came from secret/"):
        assert line in proof.stdout


def test_check_mode_on_the_full_cluster_finds_nothing(laid_down: Lab) -> None:
    mark = laid_down.audit_mark()
    run = laid_down.site("--check", "--diff")
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
    assert laid_down.our_writes(mark) == []


def test_a_deleted_deployment_comes_back_with_one_run_that_says_so(laid_down: Lab) -> None:
    laid_down.kubectl("delete", "deployment", "-n=mastodon", "mastodon-web", "--wait=true")
    run = laid_down.site("--tags", "mastodon")
    assert run.returncode == 0, run.output[-4000:]
    assert "Deployment mastodon/mastodon-web is missing" in run.output
    assert laid_down.get("deployment", "-n=mastodon", "mastodon-web")["status"]["availableReplicas"] == 1


def test_an_edited_helm_value_is_taken_back_by_one_run_that_says_so(laid_down: Lab) -> None:
    release = ("helmrelease", "-n=external-dns", "external-dns-mastodon")

    def policy() -> str:
        return str(laid_down.get(*release)["spec"]["values"]["policy"])

    laid_down.kubectl("patch", *release, "--type=merge", '--patch={"spec":{"values":{"policy":"sync"}}}')
    check = laid_down.site("--tags", "external_dns", "--check", "--diff")
    assert "configured HelmRelease external-dns/external-dns-mastodon: spec.values.policy" in check.output
    assert policy() == "sync"
    run = laid_down.site("--tags", "external_dns")
    assert run.returncode == 0, run.output[-4000:]
    assert "configured HelmRelease external-dns/external-dns-mastodon: spec.values.policy" in run.output
    assert policy() == "upsert-only"


def test_a_changed_vault_policy_is_named_by_check_mode_and_taken_back_by_a_run(laid_down: Lab) -> None:
    policy = f"mastodon-{DOMAIN}"
    vault = laid_down.vault()
    before = rules_of(vault, policy)
    vault.sys.create_or_update_policy(policy, 'path "secret/*" {\n  capabilities = ["sudo"]\n}\n')
    drifted = rules_of(vault, policy)
    check = laid_down.site("--check", "--diff")
    assert check.returncode == 0, check.output[-4000:]
    assert re.findall(r"(?:created|configured|deleted) .*", check.output) == [f"configured Vault policy {policy}"] * 3
    assert '-  capabilities = ["sudo"]' in check.output
    assert rules_of(vault, policy) == drifted
    run = laid_down.site("--tags", "vault")
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 1
    assert rules_of(vault, policy) == before


def rules_of(vault: Client, policy: str) -> str:
    return str(vault.sys.read_policy(policy)["data"]["rules"])


def test_a_deleted_secret_is_restored_from_vault_by_its_controller(laid_down: Lab) -> None:
    before = laid_down.get("secret", "-n=mastodon", "mastodon-app")["data"]
    laid_down.kubectl("delete", "secret", "-n=mastodon", "mastodon-app")
    run = laid_down.site("--tags", "mastodon")
    assert run.returncode == 0, run.output[-4000:]
    eventually(
        lambda: laid_down.get("secret", "-n=mastodon", "--ignore-not-found", "mastodon-app").get("data"),
        lambda data: data == before,
    )
