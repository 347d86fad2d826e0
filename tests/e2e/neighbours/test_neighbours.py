# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second Mastodon and somebody else's app in the same namespace: each run leaves the others alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ...conftest import ROOT, Lab, Run
from ..support import eventually, served
from ..zone import DOMAIN, Zone

SECOND = "second.lab.test"
# What the second Mastodon is made of, by the sets of its roles, in the order in which they are taken down.
SETS = {
    "second-routes": "mastodon",
    "second": "mastodon",
    "second-lab-test-tls": "gateway-system",
    "external-dns-second": "external-dns",
    "second-redis": "mastodon",
    "second-db": "mastodon",
    "second-s3": "mastodon",
    "issuer-second-lab-test-acme": "cert-manager",
    "store-vault-second": "external-secrets",
}
# Data, which goes only by name.
DATA = [
    {"api_version": "postgresql.cnpg.io/v1", "kind": "Cluster", "namespace": "mastodon", "name": "second-db"},
    {"kind": "ObjectBucketClaim", "namespace": "mastodon", "name": "second-s3"},
]
LABELS = {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": "foreign"}
FOREIGN = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: foreign, namespace: mastodon}}
data: {{mastodon: 'no'}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: foreign, namespace: mastodon, labels: {json.dumps(LABELS)}}}
spec:
  selector: {{matchLabels: {json.dumps(LABELS)}}}
  template:
    metadata: {{labels: {json.dumps(LABELS)}}}
    spec: {{containers: [{{name: pause, image: "docker.io/library/busybox:latest", command: [sleep, infinity]}}]}}
"""


@dataclass(frozen=True)
class Neighbours:
    """The lab with both Mastodons, and what was seen while the second was laid down."""

    lab: Lab
    second: Run
    settings: str
    first_before: dict[str, Any]
    secrets_before: dict[str, str]

    def again(self) -> Run:
        return self.lab.site("-e", f"@{self.settings}")


def ours(lab: Lab) -> dict[str, Any]:
    """Return the generation of all that the first Mastodon and the foreign app are made of."""
    found = lab.get("deployments,services,configmaps,networkpolicies,httproutes,externalsecrets", "-n=mastodon")[
        "items"
    ]
    return {
        f"{item['kind']} {item['metadata']['name']}": item["metadata"].get("generation", item.get("data"))
        for item in found
        if "second" not in item["metadata"]["name"]
    }


def delete(lab: Lab, **options: object) -> None:
    """Take something down as a user would, by the module."""
    options |= {
        "kubeconfig": lab.facts["kubeconfig"],
        "field_manager": options.get("field_manager", "fediverse.mastodon"),
    }
    words = ("localhost", "-m", "fediverse.mastodon.delete", "-a", json.dumps(options))
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible"), *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def neighbours(laid_down: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Lay the second one down beside the first and the foreign app, and take it away again."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "foreign.yaml").write_text(FOREIGN)
    laid_down.kubectl("apply", f"--filename={folder}/foreign.yaml")
    laid_down.kubectl("rollout", "status", "deployment/foreign", "-n=mastodon", "--timeout=60s")
    kv = laid_down.vault().secrets.kv.v2
    given = {
        name: kv.read_secret_version(f"mastodon/{DOMAIN}/{name}", raise_on_deleted_version=True)["data"]["data"]
        for name in ("dns", "smtp")
    }
    settings = folder / "settings.json"
    another = {"mastodon_name": "second", "mastodon_local_domain": SECOND, "gateway_media_hostname": ""}
    another |= {"cnpg_pooler": True}
    settings.write_text(
        json.dumps({**another, "mastodon_admin_email": f"owner@{SECOND}", "vault_given_secrets": given})
    )
    before = ours(laid_down), laid_down.vault_versions()
    yield Neighbours(laid_down, laid_down.site("-e", f"@{settings}"), str(settings), *before)
    delete(laid_down, objects=DATA)
    for name, namespace in SETS.items():
        delete(laid_down, name=name, namespace=namespace, field_manager=manager(name))
    for name in kv.list_secrets(f"mastodon/{SECOND}")["data"]["keys"]:
        kv.delete_metadata_and_all_versions(f"mastodon/{SECOND}/{name}")
    laid_down.vault().sys.delete_policy(f"mastodon-{SECOND}")
    laid_down.vault().auth.kubernetes.delete_role(f"mastodon-{SECOND}")
    laid_down.kubectl("delete", f"--filename={folder}/foreign.yaml")


def manager(name: str) -> str:
    """Sets that share an object are each applied under a name of their own."""
    return f"fediverse.mastodon/{SECOND}" if name.endswith("-tls") else "fediverse.mastodon"


def test_both_answer_at_their_own_names(neighbours: Neighbours, zone: Zone) -> None:
    assert neighbours.second.returncode == 0, neighbours.second.output[-6000:]
    assert zone.texts(SECOND, "A") == [neighbours.lab.facts["gateway_address"]]
    assert served(neighbours.lab, SECOND) == SECOND
    assert served(neighbours.lab, DOMAIN) == DOMAIN


def test_the_second_touched_nothing_of_the_first_and_of_the_foreign_app(neighbours: Neighbours) -> None:
    assert ours(neighbours.lab) == neighbours.first_before
    now = neighbours.lab.vault_versions()
    assert {name: now[name] for name in neighbours.secrets_before if name != "mounts"} == {
        name: version for name, version in neighbours.secrets_before.items() if name != "mounts"
    }


def test_the_second_asks_its_database_through_pgbouncer_and_migrates_past_it(neighbours: Neighbours) -> None:
    values = neighbours.lab.get("helmrelease", "-n=mastodon", "second")["spec"]["values"]["postgresql"]
    hosts = (values["hostname"], values["direct"]["hostname"])
    assert hosts == ("second-db-pooler.mastodon.svc", "second-db-rw.mastodon.svc")
    pods = neighbours.lab.get("pods", "-n=mastodon")["items"]
    address = {pod["metadata"]["name"]: pod["status"].get("podIP") for pod in pods}
    sql = (
        "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE usename = 'mastodon' AND client_addr IS NOT NULL"
    )
    psql = (
        "exec",
        "-n=mastodon",
        "second-db-1",
        "-c=postgres",
        "--",
        "psql",
        "--tuples-only",
        "--no-align",
        f"-c{sql}",
    )
    poolers = {ip for name, ip in address.items() if name.startswith("second-db-pooler-")}
    asking = set(neighbours.lab.kubectl(*psql).split())
    assert asking
    assert asking <= poolers


def test_each_changes_nothing_when_it_runs_again(neighbours: Neighbours) -> None:
    mark = neighbours.lab.audit_mark()
    assert neighbours.lab.site().recap["changed"] == 0
    assert neighbours.again().recap["changed"] == 0
    assert neighbours.lab.our_writes(mark) == []


def test_no_policy_of_either_selects_the_foreign_app(neighbours: Neighbours) -> None:
    policies = neighbours.lab.get("networkpolicies", "-n=mastodon")["items"]
    assert len([policy for policy in policies if policy["metadata"]["name"].startswith("second")]) >= 3
    for policy in policies:
        selected = policy["spec"]["podSelector"].get("matchLabels", {})
        assert not selected.items() <= LABELS.items(), policy["metadata"]["name"]


def test_a_certificate_that_the_second_lacks_does_not_stop_the_first(neighbours: Neighbours) -> None:
    lab = neighbours.lab
    gateway = ("gateway", "-n=gateway-system", "shared-gateway-external")
    broken = {"name": "nobody.lab.test", "hostname": "nobody.lab.test", "port": 443, "protocol": "HTTPS"}
    broken |= {"tls": {"certificateRefs": [{"kind": "Secret", "name": "absent"}]}}
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": gateway[2]}}
    spec = {"gatewayClassName": "traefik", "listeners": [broken]}
    apply = ("apply", "--server-side", "--field-manager=neighbour", "-n=gateway-system", "--filename=-")
    lab.kubectl(*apply, given=json.dumps({**body, "spec": spec}))
    try:

        def listeners() -> dict[str, list[str]]:
            found = lab.get(*gateway)["status"]["listeners"]
            return {
                one["name"]: [c["status"] for c in one["conditions"] if c["type"] == "ResolvedRefs"] for one in found
            }

        eventually(listeners, lambda found: found.get("nobody.lab.test") == ["False"])
        assert lab.site().recap["changed"] == 0
        assert served(lab, DOMAIN) == DOMAIN
    finally:
        lab.kubectl(*apply, given=json.dumps({**body, "spec": {"gatewayClassName": "traefik"}}))


def test_a_cluster_that_fails_is_named_and_does_not_spoil_the_other(laid_down: Lab, tmp_path: Path) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory = tmp_path / "clusters.json"
    broken = {**local, "kubeconfig": "/nonexistent/kubeconfig"}
    inventory.write_text(json.dumps({"clusters": {"hosts": {"broken": broken}}}))
    laid_down.kubectl("delete", "networkpolicy", "-n=mastodon", "mastodon-web")
    run = laid_down.site("-i", str(inventory))
    assert run.returncode != 0
    assert "fatal: [broken]: FAILED!" in run.output
    assert "/nonexistent/kubeconfig" in run.output
    assert (run.recap["changed"], run.recap["failed"]) == (1, 0)
