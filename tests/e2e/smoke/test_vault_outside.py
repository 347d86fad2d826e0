# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets come from an OpenBao outside of the cluster, behind TLS of an authority of its own, in a namespace of it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.integration.vault.conftest import started
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao

from ...conftest import Lab, Run
from ..support import eventually
from .support import apply, namespace

DOMAIN = "outside.lab.test"
STORES = ("vault-outside", "vault-outside-dns")


@dataclass(frozen=True)
class Outside:
    """A second Mastodon's secrets, in a server of their own."""

    lab: Lab
    bao: Bao
    file: Path

    def site(self, *arguments: str) -> Run:
        # By the environment, as people do who have logged in.
        environment = {"VAULT_ADDR": self.bao.address, "VAULT_CACERT": str(self.file.with_name("ca.pem"))}
        tags = ("--tags", "vault,external_secrets", "-e", f"@{self.file}")
        return self.lab.site(*tags, *arguments, BAO_NAMESPACE="team", VAULT_TOKEN=ROOT, **environment)


@pytest.fixture(scope="module")
def outside(installed: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    facts = installed.facts
    [cluster] = yaml.safe_load(Path(facts["kubeconfig"]).read_text())["clusters"]
    settings: dict[str, Any] = {
        "mastodon_name": "outside",
        "mastodon_namespace": "outside",
        "mastodon_local_domain": DOMAIN,
        "mastodon_admin_username": "",
        "mastodon_smtp_login": False,
        "gateway_media_hostname": "media.outside.lab.test",
        "external_dns_name": "external-dns-outside",
        # Those of the inventory are files and addresses of the lab's own OpenBao.
        "vault_address": "{{ lookup('ansible.builtin.env', 'VAULT_ADDR') }}",
        "vault_token_file": "",
        "vault_kubernetes_host": cluster["cluster"]["server"],
        "vault_given_secrets": {"dns": installed.given("dns")},
    }
    (folder / "settings.yml").write_text(json.dumps(settings))
    with started(facts["machine_address"], folder) as bao, namespace(installed, "outside"):
        bao.api.write_data("sys/namespaces/team", data={})
        yield Outside(installed, bao, folder / "settings.yml")
        for name in STORES:
            installed.kubectl("delete", "clustersecretstore", name, "--ignore-not-found")


def test_the_stores_log_in_and_a_second_run_changes_nothing(outside: Outside) -> None:
    run = outside.site()
    assert run.returncode == 0, run.output[-6000:]
    for name in STORES:
        store = outside.lab.get("clustersecretstore", name)
        assert store["spec"]["provider"]["vault"]["server"] == outside.bao.address
        assert [one["status"] for one in store["status"]["conditions"]] == ["True"]
    assert outside.site().recap["changed"] == 0


def test_a_secret_comes_into_the_cluster_from_there(outside: Outside) -> None:
    data = [{"secretKey": "key", "remoteRef": {"key": f"mastodon/{DOMAIN}/app", "property": "secret-key-base"}}]
    spec = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault-outside"}, "data": data}
    metadata = {"name": "app", "namespace": "outside"}
    apply(
        outside.lab,
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": metadata, "spec": spec},
    )
    ask = ("secret", "-n=outside", "--ignore-not-found", "app")
    found = eventually(lambda: outside.lab.get(*ask).get("data", {}), bool)
    outside.bao.api.adapter.namespace = "team"
    answer = outside.bao.api.secrets.kv.v2.read_secret_version(f"mastodon/{DOMAIN}/app", raise_on_deleted_version=True)
    assert b64decode(found["key"]).decode() == answer["data"]["data"]["secret-key-base"]
