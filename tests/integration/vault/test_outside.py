# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role vault alone, on a real API server and an OpenBao outside of its cluster, with an authority of its own and a namespace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.conftest import Lab, Run
from ansible_collections.fediverse.mastodon.tests.integration.vault.conftest import started
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao

SPACE, FOLDER = "outside-secrets", "mastodon/outside.lab.test"
PLAY = {
    "hosts": "clusters",
    "gather_facts": False,
    "tasks": [{"ansible.builtin.import_role": {"name": "fediverse.mastodon.vault"}}],
}


@dataclass(frozen=True)
class Outside:
    """A server, a cluster, and the settings of a Mastodon that brings them together."""

    lab: Lab
    bao: Bao
    folder: Path

    def role(self, **settings: Any) -> Run:
        (self.folder / "play.yml").write_text(json.dumps([PLAY]))
        return self.lab.playbook(str(self.folder / "play.yml"), "-e", json.dumps(self.settings | settings))

    @property
    def settings(self) -> dict[str, Any]:
        (self.folder / "token").write_text(ROOT)
        [cluster] = yaml.safe_load(Path(self.lab.facts["kubeconfig"]).read_text())["clusters"]
        return {
            "mastodon_name": "outside",
            "mastodon_namespace": "outside",
            "mastodon_local_domain": "outside.lab.test",
            "mastodon_smtp_login": False,
            "external_secrets_namespace": SPACE,
            "vault_address": self.bao.address,
            "vault_ca_cert": str(self.folder / "ca.pem"),
            "vault_namespace": "team",
            "vault_token_file": str(self.folder / "token"),
            "vault_kubernetes_host": cluster["cluster"]["server"],
            "vault_given_secrets": {"dns": {"tsig-secret": "aGVsbG8="}},
        }

    def client(self, token: str = "") -> hvac.Client:
        authority = str(self.folder / "ca.pem")
        return hvac.Client(self.bao.address, token, namespace="team", verify=authority)


@pytest.fixture(scope="module")
def outside(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    with started(lab.facts["machine_address"], folder) as bao:
        bao.api.write_data("sys/namespaces/team", data={})
        lab.kubectl("create", "namespace", SPACE)
        for name in ("external-secrets", "somebody"):
            lab.kubectl("create", "serviceaccount", f"-n={SPACE}", name)
        yield Outside(lab, bao, folder)
        lab.kubectl("delete", "namespace", SPACE, "--wait=false")
        lab.kubectl("delete", "clusterrolebinding", f"{SPACE}-vault-reviewer")


def logged_in(outside: Outside, role: str, account: str = "external-secrets", audience: str = "vault") -> hvac.Client:
    jwt = outside.lab.kubectl("create", "token", f"-n={SPACE}", account, f"--audience={audience}").strip()
    client = outside.client()
    client.auth.kubernetes.login(role, jwt)
    return client


def test_the_role_alone_reaches_both_and_its_second_run_changes_nothing(outside: Outside) -> None:
    run = outside.role()
    assert run.returncode == 0, run.output[-5000:]
    assert outside.role().recap["changed"] == 0
    keys = outside.client(ROOT).secrets.kv.v2.list_secrets(FOLDER, mount_point="secret")["data"]["keys"]
    assert set(keys) == {"app", "postgresql", "redis", "dns", "fingerprint"}


def test_external_secrets_logs_in_and_reads_what_each_namespace_may(outside: Outside) -> None:
    for role, path, denied in (("", "app", ("fingerprint", "dns")), ("-dns", "dns", ("app", "postgresql"))):
        client = logged_in(outside, f"mastodon-outside.lab.test{role}")
        kv = client.secrets.kv.v2
        assert kv.read_secret_version(f"{FOLDER}/{path}", raise_on_deleted_version=True)["data"]["data"]
        for other in denied:
            with pytest.raises(hvac.exceptions.Forbidden):
                kv.read_secret_version(f"{FOLDER}/{other}", raise_on_deleted_version=True)


@pytest.mark.parametrize(
    ("account", "audience"), [("somebody", "vault"), ("external-secrets", "https://kubernetes.default.svc")]
)
def test_nobody_else_logs_in(outside: Outside, account: str, audience: str) -> None:
    with pytest.raises(hvac.exceptions.VaultError):
        logged_in(outside, "mastodon-outside.lab.test", account, audience)


def test_the_login_of_another_cluster_is_refused_with_what_to_set(outside: Outside) -> None:
    run = outside.role(vault_kubernetes_host="https://other.example.org:6443")
    assert run.returncode != 0
    said = " ".join(run.output.split())
    assert "Vault login kubernetes: is of another cluster: it asks https://10." in said
    assert "Set vault_auth_mount to another path." in said
