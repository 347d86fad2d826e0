# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One inventory with two clusters, installed by one run: an empty one, and one on which others run Flux and CloudNativePG.

The second keeps its media in a bucket that is there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ...conftest import HERE, LAB_INDEX, LAB_NAME, OURS, ROOT, Lab, Run, fresh_lab
from ..smoke.support import apply
from ..support import eventually, served
from ..zone import DOMAIN

OTHER = "other.lab.test"
PLATFORM = "platform"
# Whatever is in these namespaces and of these kinds is not ours.
THEIRS = ("flux-system", PLATFORM)
KINDS = "deployments,services,configmaps,serviceaccounts"
CNPG = "helmreleases.helm.toolkit.fluxcd.io,helmrepositories.source.toolkit.fluxcd.io"


@dataclass(frozen=True)
class Pair:
    """Two labs, and what was seen of the platform's own objects before a run installed both."""

    lab: Lab
    other: Lab
    inventory: Path
    theirs: dict[str, Any]
    first: Run

    def again(self, *arguments: str) -> Run:
        return self.lab.site("-i", str(self.inventory), *arguments)


def pins(role: str) -> dict[str, str]:
    (found,) = yaml.safe_load((ROOT / f"roles/{role}/vars/main/versions.yml").read_text()).values()
    return {str(key): str(value) for key, value in found.items()}


def flux() -> dict[str, Any]:
    return {
        "apiVersion": "fluxcd.controlplane.io/v1",
        "kind": "FluxInstance",
        "metadata": {"name": "flux", "namespace": "flux-system"},
        "spec": {
            "distribution": {"version": pins("flux")["distribution"], "registry": "ghcr.io/fluxcd"},
            "components": ["source-controller", "helm-controller"],
        },
    }


def cloudnative_pg(mirror: str) -> list[dict[str, Any]]:
    place = {"name": "pg", "namespace": PLATFORM}
    source = {"kind": "HelmRepository", "name": "pg"}
    chart = {"chart": "cloudnative-pg", "version": pins("cnpg")["chart"], "sourceRef": source}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": PLATFORM}},
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": place,
            "spec": {"interval": "1h", "url": f"{mirror}/charts/cloudnative-pg"},
        },
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": place,
            "spec": {"interval": "1h", "chart": {"spec": chart}},
        },
    ]


def prepare(lab: Lab) -> None:
    """Do what a platform team does before anybody thinks of Mastodon, with kubectl."""

    lab.apply_manifest("flux-operator.yaml")
    lab.kubectl("wait", "--for=condition=Established", "crd/fluxinstances.fluxcd.controlplane.io", "--timeout=240s")
    apply(lab, flux())
    lab.kubectl("wait", "-n=flux-system", "fluxinstance/flux", "--for=condition=Ready", "--timeout=300s")
    apply(lab, *cloudnative_pg(lab.facts["mirror"]))
    lab.kubectl("wait", f"-n={PLATFORM}", "helmrelease/pg", "--for=condition=Ready", "--timeout=300s")


def theirs(lab: Lab) -> dict[str, Any]:
    """Return what the platform's objects declare, and who manages them."""
    found: dict[str, Any] = {}
    for namespace in THEIRS:
        kinds = f"{KINDS},{CNPG},fluxinstances.fluxcd.controlplane.io"
        for item in lab.get(kinds, f"-n={namespace}", "--show-managed-fields")["items"]:
            metadata = item["metadata"]
            declared = item.get("spec", item.get("data"))
            managers = sorted({entry["manager"] for entry in metadata.get("managedFields", [])})
            found[f"{item['kind']} {namespace}/{metadata['name']}"] = (declared, managers)
    return found


def inventory(folder: Path, other: Lab) -> Path:
    """Write down the second cluster as a host beside the lab."""
    host = {
        **HERE,
        "lab": other.facts,
        "mastodon_local_domain": OTHER,
        "mastodon_admin_email": f"owner@{OTHER}",
        "gateway_media_hostname": f"media.{OTHER}",
        "rook_backend": "external",
        "rook_external_endpoint": other.facts["s3_endpoint"],
        "rook_external_bucket": "mastodon",
        "vault_given_secrets": {"dns": other.given("dns"), "smtp": other.given("smtp")},
        "flux_install": False,
        "cnpg_install": False,
    }
    path = folder / "other.json"
    path.write_text(json.dumps({"clusters": {"hosts": {"other": host}}}))
    return path


def keep(lab: Lab, name: str, data: dict[str, str]) -> None:
    """Put a secret of the second Mastodon into its Vault."""
    lab.vault().secrets.kv.v2.create_or_update_secret(f"mastodon/{OTHER}/{name}", data, mount_point="secret")


@pytest.fixture(scope="module")
def pair(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with fresh_lab(f"other-{LAB_NAME}", int(LAB_INDEX) + 1, "--without", "ceph") as other:
        prepare(other)
        keep(other, "s3", other.stored("s3"))
        hosts = inventory(tmp_path_factory.mktemp("clusters"), other)
        before = theirs(other)
        yield Pair(lab, other, hosts, before, lab.site("-i", str(hosts)))


def test_one_run_lays_down_both(pair: Pair) -> None:
    assert pair.first.returncode == 0, pair.first.output[-8000:]
    assert served(pair.lab, DOMAIN) == DOMAIN
    assert served(pair.other, OTHER) == OTHER


def test_a_second_run_changes_nothing_on_either(pair: Pair) -> None:
    marks = pair.lab.audit_mark(), pair.other.audit_mark()
    run = pair.again()
    assert run.returncode == 0, run.output[-8000:]
    assert [run.recap_of(host)["changed"] for host in ("lab", "other")] == [0, 0]
    assert pair.lab.our_writes(marks[0]) == pair.other.our_writes(marks[1]) == []


def test_what_others_installed_is_used_and_not_touched(pair: Pair) -> None:
    assert theirs(pair.other) == pair.theirs
    assert not [name for name, (_declared, managers) in pair.theirs.items() if OURS in str(managers)]
    assert not pair.other.get("namespace", "cnpg-system", "--ignore-not-found")
    assert not pair.other.get("clusters.postgresql.cnpg.io", "-n=mastodon", "other-db", "--ignore-not-found")
    database = pair.other.get("clusters.postgresql.cnpg.io", "-n=mastodon", "mastodon-db")
    assert database["status"]["readyInstances"] == 1


def test_one_that_stands_still_is_named_before_anything_is_written_and_does_not_stop_the_other(pair: Pair) -> None:
    operator = ("deployment", f"-n={PLATFORM}", "-l=app.kubernetes.io/name=cloudnative-pg")
    (name,) = [item["metadata"]["name"] for item in pair.other.get(*operator)["items"]]
    scale = ("scale", "deployment", f"-n={PLATFORM}", name)
    pair.lab.kubectl("delete", "networkpolicy", "-n=mastodon", "mastodon-web")
    pair.other.kubectl(*scale, "--replicas=0")
    try:
        mark = pair.other.audit_mark()
        run = pair.again()
    finally:
        pair.other.kubectl(*scale, "--replicas=1")
    assert run.returncode != 0
    said = " ".join(run.output.split())
    assert f"Deployment {PLATFORM}/{name}: CloudNativePG does not run: it is scaled to zero replicas." in said
    assert re.search(r"fatal: \[other\]: FAILED!", run.output)
    assert pair.other.our_writes(mark) == []
    assert (run.recap_of("lab")["changed"], run.recap_of("lab")["failed"]) == (1, 0)
    eventually(
        lambda: pair.other.get("deployment", f"-n={PLATFORM}", name)["status"].get("availableReplicas"),
        lambda available: available == 1,
    )


def test_a_key_that_was_changed_on_the_s3_server_and_in_vault_is_used_after_one_run(pair: Pair) -> None:
    login = {**pair.other.stored("s3"), "secret-access-key": "another-secret-key-of-the-media"}
    key = base64.b64encode(login["secret-access-key"].encode()).decode()
    server = ("statefulset/s3", "-n=object-store")
    changed = json.dumps({"data": {"ROOT_SECRET_KEY": key}})
    pair.other.kubectl("patch", "secret", "-n=object-store", "s3", "--type=merge", "--patch", changed)
    pair.other.kubectl("rollout", "restart", *server)
    pair.other.kubectl("rollout", "status", *server, "--timeout=240s")
    keep(pair.other, "s3", login)
    run = pair.again("--limit=other")
    assert run.returncode == 0, run.output[-8000:]
    assert login["secret-access-key"] not in run.output
    command = ("exec", "-n=mastodon", "deploy/mastodon-web", "-c=mastodon-web", "--", "printenv")
    assert pair.other.kubectl(*command, "AWS_SECRET_ACCESS_KEY").strip() == login["secret-access-key"]
    assert pair.again("--limit=other").recap_of("other")["changed"] == 0
