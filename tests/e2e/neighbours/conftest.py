# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second Mastodon and somebody else's app in the namespace of the first, with choices that the first has not made."""

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
from ..support import CONTAINER_SECURITY, POD_SECURITY

SECOND = "second.lab.test"
VOLUME, KEPT = "foreign-pages", "kept"
# What the second Mastodon is made of, by the sets of its roles, in the order in which they are taken down.
SETS = {
    "second-routes": "mastodon",
    "second": "mastodon",
    "second-volumes": "mastodon",
    "second-lab-test-tls": "gateway-system",
    "external-dns-second": "external-dns",
    "second-redis": "mastodon",
    "second-db": "mastodon",
    "second-s3": "mastodon",
    "issuer-second-lab-test-acme": "cert-manager",
    "store-vault-second": "external-secrets",
}
# Data, which goes before what serves it.
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
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {VOLUME}, namespace: mastodon}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 10Mi}}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: foreign, namespace: mastodon, labels: {json.dumps(LABELS)}}}
spec:
  selector: {{matchLabels: {json.dumps(LABELS)}}}
  template:
    metadata: {{labels: {json.dumps(LABELS)}}}
    spec:
      terminationGracePeriodSeconds: 0
      securityContext: {json.dumps(POD_SECURITY)}
      containers:
        - name: pages
          image: docker.io/library/busybox:latest
          command: [sh, -c, "echo {KEPT} > /pages/word; sleep infinity"]
          securityContext: {json.dumps(CONTAINER_SECURITY)}
          volumeMounts: [{{name: pages, mountPath: /pages}}]
      volumes: [{{name: pages, persistentVolumeClaim: {{claimName: {VOLUME}}}}}]
"""


@dataclass(frozen=True)
class Seen:
    """What the first Mastodon and the foreign app are made of, and the versions in Vault, at one moment."""

    objects: dict[str, Any]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Neighbours:
    """The lab with both Mastodons, and what was seen while the second was installed."""

    lab: Lab
    second: Run
    settings: str
    before: Seen
    after: Seen

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
        if "second" not in item["metadata"]["name"] and item["metadata"]["name"] != f"{VOLUME}-restic"
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


def backups(lab: Lab) -> dict[str, Any]:
    """Return settings by which the second's database and media and the foreign app's volume are backed up to the lab's S3."""
    return {
        "rook_copy_endpoint": lab.facts["s3_endpoint"],
        "rook_copy_bucket": "media-copy",
        "cnpg_backup": True,
        "cnpg_backup_endpoint": lab.facts["s3_endpoint"],
        "cnpg_backup_bucket": "mastodon",
        "volsync_endpoint": lab.facts["s3_endpoint"],
        "volsync_bucket": "mastodon",
        "volsync_schedule": "* * * * *",
        # No snapshots can be made of the lab's volumes.
        "volsync_volumes": [{"name": VOLUME, "copy_method": "Direct", "user": POD_SECURITY["runAsUser"]}],
    }


@pytest.fixture(scope="session")
def neighbours(installed: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Install the second one beside the first and the foreign app, and take it away again."""
    folder = tmp_path_factory.mktemp("second")
    (folder / "foreign.yaml").write_text(FOREIGN)
    installed.kubectl("apply", f"--filename={folder}/foreign.yaml")
    installed.kubectl("rollout", "status", "deployment/foreign", "-n=mastodon", "--timeout=240s")
    kv = installed.vault().secrets.kv.v2
    given = {
        "dns": installed.given("dns"),
        "smtp": installed.stored("smtp"),
        "postgresql-backup": installed.stored("s3"),
        "media-copy": installed.stored("s3"),
        "restic": installed.stored("s3"),
    }
    settings = folder / "settings.json"
    another = {
        "mastodon_name": "second",
        "mastodon_local_domain": SECOND,
        "gateway_media_hostname": f"media.{SECOND}",
        "cnpg_pooler": True,
        **backups(installed),
    }
    settings.write_text(
        json.dumps({**another, "mastodon_admin_email": f"owner@{SECOND}", "vault_given_secrets": given})
    )
    installed.apply_manifest("volume-snapshots.yaml")
    before = Seen(ours(installed), installed.vault_versions())
    second = installed.site("-e", f"@{settings}")
    after = Seen(ours(installed), installed.vault_versions())
    yield Neighbours(installed, second, str(settings), before, after)
    delete(installed, objects=DATA)
    for name, namespace in SETS.items():
        kept = keepers(installed, name, namespace)
        delete(installed, name=name, namespace=namespace, field_manager=manager(name), prune_allow=kept)
    for name in kv.list_secrets(f"mastodon/{SECOND}")["data"]["keys"]:
        kv.delete_metadata_and_all_versions(f"mastodon/{SECOND}/{name}")
    installed.vault().sys.delete_policy(f"mastodon-{SECOND}")
    installed.vault().auth.kubernetes.delete_role(f"mastodon-{SECOND}")
    installed.kubectl("delete", f"--filename={folder}/foreign.yaml")


def keepers(lab: Lab, name: str, namespace: str) -> list[str]:
    """Name all that a set holds, as it holds what goes only by name; a namespace is the first one's, too."""
    found = lab.get("configmap", f"-n={namespace}", f"fediverse.mastodon.{name}", "--ignore-not-found")
    parts = [line.split("/") for line in found.get("data", {}).get("objects", "").splitlines()]
    return [
        f"{part[-2]} {f'{part[2]}/' if part[1] == 'namespaces' else ''}{part[-1]}"
        for part in parts
        if part[-2] != "Namespace"
    ]


def manager(name: str) -> str:
    """Sets that share an object are each applied under a name of their own."""
    return f"fediverse.mastodon/{SECOND}" if name.endswith("-tls") else "fediverse.mastodon"


@pytest.fixture(scope="module")
def settled(installed: Lab) -> Iterator[None]:
    """In the end let what was patched be ours again: of fields that were put back kubectl would stay the manager."""
    yield
    run = installed.site("--tags=gateway,mastodon")
    assert run.returncode == 0, run.output[-3000:]
