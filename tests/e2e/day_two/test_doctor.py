# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/doctor.yml: one table of all that Mastodon stands on, and nothing written."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

from ...conftest import ROOT, Lab, Run

RULES = "rules: [{apiGroups: [''], resources: [secrets], verbs: [list, watch, create, patch, delete]}]"
GROUP = "rbac.authorization.k8s.io"
LIMITED = f"""
apiVersion: v1
kind: ServiceAccount
metadata: {{name: limited, namespace: default}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: limited}}
{RULES}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: limited}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}}
subjects: [{{kind: ServiceAccount, name: limited, namespace: default}}]
"""


def table(run: Run) -> dict[str, list[str]]:
    """Return the rows of the table by their state."""
    states = ("ok", "failed", "skipped")
    rows = [line.split(maxsplit=1) for line in run.output.splitlines() if line.split(" ")[0] in states]
    return {state: [row[1] for row in rows if row[0] == state] for state in states}


def doctor(lab: Lab, **settings: object) -> tuple[Run, dict[str, list[str]]]:
    """Run it and see that it writes nothing, to the cluster or to Vault."""
    mark, vault = lab.audit_mark(), lab.vault_versions()
    run = lab.playbook("doctor.yml", "-e", json.dumps(settings))
    assert lab.our_writes(mark) == []
    assert lab.vault_versions() == vault
    assert "Traceback" not in run.output
    return run, table(run)


def test_all_that_is_well_is_reported_as_such(installed: Lab) -> None:
    run, rows = doctor(installed)
    assert run.returncode == 0, run.output[-4000:]
    assert rows["failed"] == []
    assert rows["skipped"] == [
        "Vault of social.lab.test: whether it is backed up is not known, as vault_backup_recipients names nobody who could"
        " open a backup of it"
    ]
    for reported in (
        "API server https://10",
        "Clock: the same here and on the API server",
        "Rights: all",
        "StorageClass local-path: there",
        "the token may do all that role vault does",
        "Vault secret secret/mastodon/social.lab.test/dns: has tsig-secret",
        "DNS name social.lab.test: in zone lab.test, which",
        "Mail server mailpit.mail.svc.cluster.local:1025: accepts the login, encrypted",
        "read and removed, anyone reads it",
    ):
        assert any(reported in row for row in rows["ok"]), (reported, rows)


def test_a_bucket_of_yours_is_written_and_read_and_left_as_it_was(installed: Lab) -> None:
    moved = {"mastodon_moved_from": ["http://rook-ceph-rgw-media.rook-ceph.svc/mastodon-mastodon-s3"]}
    mine = {
        "rook_backend": "external",
        "rook_external_endpoint": installed.facts["s3_endpoint"],
        "rook_claim_name": "elsewhere-s3",
        **moved,
    }
    run, rows = doctor(installed, **mine, rook_external_bucket="mastodon")
    assert run.returncode == 0, run.output[-4000:]
    assert any("written with an ACL, read and removed, anyone reads it" in row for row in rows["ok"]), rows
    run, rows = doctor(installed, **mine, rook_external_bucket="nobodys")
    assert run.returncode != 0
    assert any("NoSuchBucket" in row and "Create the bucket" in row for row in rows["failed"]), rows


def test_everything_that_is_wrong_is_reported_at_once(installed: Lab, tmp_path: Path) -> None:
    (tmp_path / "limited.yaml").write_text(LIMITED)
    installed.kubectl("apply", f"--filename={tmp_path}/limited.yaml")
    try:
        config = json.loads(installed.kubectl("config", "view", "--raw", "-o=json"))
        config["users"][0]["user"] = {"token": installed.kubectl("create", "token", "limited").strip()}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        vault = installed.vault()
        token = vault.auth.token.create(policies=["default"], ttl="10m")["auth"]["client_token"]
        (tmp_path / "token").write_text(token)
        run, rows = doctor(
            installed,
            kubeconfig=str(tmp_path / "kubeconfig"),
            vault_token_file=str(tmp_path / "token"),
            flux_install=False,
            mastodon_smtp_port=1,
            external_dns_zones=["social.lab.test", "media.lab.test"],
        )
    finally:
        installed.kubectl("delete", f"--filename={tmp_path}/limited.yaml")
    assert run.returncode != 0
    reported = "\n".join(rows["failed"])
    for sentence in (
        "Rights: are missing: on ",
        "list/watch/create/patch/delete in namespace gateway-system ",
        "certificates.cert-manager.io, ",
        "get/create in namespace mastodon pods/exec",
        'the token lacks rights: 7 of 7 paths. Give the token a policy with path "sys/mounts"',
        "reading secret/mastodon/social.lab.test/dns is not allowed",
        "DNS name social.lab.test: would not be found: it lies in zone lab.test",
    ):
        assert sentence in reported, reported
    assert " secrets" not in reported.partition("Rights")[2].partition("\n")[0]
    assert any("you may not list them" in row for row in rows["skipped"]), rows


def test_without_a_token_for_vault_all_else_is_looked_at(installed: Lab) -> None:
    run, rows = doctor(installed, vault_token_file="/nonexistent")
    assert run.returncode != 0
    (failed,) = rows["failed"]
    assert failed.startswith("Vault: no token: /nonexistent cannot be read or is empty. ")
    for shown in ("API server https://10", "Rights: all", "DNS name social.lab.test: in zone lab.test, which"):
        assert any(shown in row for row in rows["ok"]), (shown, rows)


SHOWN = [
    {
        "hosts": "clusters",
        "gather_facts": False,
        "roles": ["fediverse.mastodon.common"],
        "vars_files": [str(ROOT / "roles/doctor/vars/main/rights.yml")],
        "tasks": [{"ansible.builtin.copy": {"content": "{{ doctor_rights | to_json }}", "dest": "{{ rights_file }}"}}],
    }
]


def granted(rights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the objects that give an account these rights, and no other."""
    bound = {"subjects": [{"kind": "ServiceAccount", "name": "limited", "namespace": "default"}]}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "limited", "namespace": "default"}}
    ]
    rules: dict[str, list[dict[str, Any]]] = {}
    for one in rights:
        for resource, namespace in product(one["resources"], one.get("namespaces") or [""]):
            name, _unused, below = resource.partition("/")
            plural, _unused, group = name.partition(".")
            rule = {
                "apiGroups": [group],
                "resources": [f"{plural}/{below}" if below else plural],
                "verbs": one["verbs"],
            }
            rules.setdefault(namespace, []).append(rule)
    for namespace, some in rules.items():
        kind, place = ("Role", {"namespace": namespace}) if namespace else ("ClusterRole", {})
        metadata = {"name": "limited", **place}
        reference = {"apiGroup": GROUP, "kind": kind, "name": "limited"}
        objects.append({"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "rules": some})
        binding = {"apiVersion": f"{GROUP}/v1", "kind": f"{kind}Binding", "metadata": metadata}
        objects.append({**binding, "roleRef": reference, **bound})
    return objects


def test_who_has_the_rights_that_are_asked_for_and_no_other_runs_everything(installed: Lab, tmp_path: Path) -> None:
    (tmp_path / "show.yml").write_text(json.dumps(SHOWN))
    settings = {"flux_install": False, "rights_file": str(tmp_path / "rights.json")}
    shown = installed.playbook(str(tmp_path / "show.yml"), "-e", json.dumps(settings))
    assert shown.returncode == 0, shown.output[-3000:]
    rights = json.loads((tmp_path / "rights.json").read_text())
    limited = json.dumps({"apiVersion": "v1", "kind": "List", "items": granted(rights)})
    # What is turned off has none, and is looked for there all the same.
    there = {item["metadata"]["name"] for item in installed.get("namespaces")["items"]}
    lacking = {name for one in rights for name in one.get("namespaces") or ()} - there
    try:
        for name in lacking:
            installed.kubectl("create", "namespace", name)
        installed.kubectl("apply", "--filename=-", given=limited)
        config = json.loads(installed.kubectl("config", "view", "--raw", "-o=json"))
        config["users"][0]["user"] = {"token": installed.kubectl("create", "token", "limited").strip()}
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        mine = {"kubeconfig": str(tmp_path / "kubeconfig"), "flux_install": False}
        run, rows = doctor(installed, **mine)
        assert any(row.startswith("Rights: all that the chosen roles need, on ") for row in rows["ok"]), rows
        # This Flux was made by site.yml, so that handing it over reads all of it.
        run = installed.site("--skip-tags", "flux", "-e", json.dumps(mine))
        assert run.returncode == 0, run.output[-5000:]
        assert run.recap["changed"] == 0
    finally:
        installed.kubectl("delete", "--ignore-not-found", "--filename=-", given=limited)
        for name in lacking:
            installed.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")
