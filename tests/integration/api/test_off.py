# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Off means off: what a setting that was on leaves behind, compared with a cluster on which it was never on.

Each setting of each role that can be off (booleans, lists, and those that are empty by default) is turned on and off again on a real API
server, which knows the operators' kinds but has no operators.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import inventory
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import DEPENDS_ON, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import APPLY, ROOT, Site

from .support import Applied, Cluster

Object = dict[str, Any]

# Nearly all that can be on.
BASE: dict[str, Any] = {
    "omit": "(omitted)",
    # What the leftovers of the database wait for.
    "cnpg_applied": {"objects": [{"action": "skipped"}]},
    "mastodon_size": "large",
    "mastodon_web_domain": "www.example.org",
    "mastodon_monitoring": True,
    "mastodon_alerts": True,
    "mastodon_alerts_prober": "blackbox.monitoring.svc:9115",
    "mastodon_federation_watch": True,
    "mastodon_federation_echo": True,
    "mastodon_sidekiq_workers": [
        {
            "name": "all",
            "concurrency": 5,
            "replicas": 2,
            "queues": ["default", "push", "mailers", "pull", "ingress", "fasp"],
        },
        {"name": "clock", "concurrency": 5, "replicas": 1, "queues": ["scheduler"]},
    ],
    "mastodon_trusted_proxies": ["10.0.0.0/8"],
    "rook_backend": "rook",
    "rook_profile": "minimal",
    "rook_storage": {"deviceFilter": "^sdb$"},
    "rook_bucket_size": "100G",
    "rook_copy_endpoint": "https://s3.example.net",
    "rook_copy_bucket": "copy",
    "rook_copy_memory": "2Gi",
    "gateway_media_hostname": "media.example.org",
    "gateway_dns_target": "192.0.2.1",
    "gateway_https_listener": "",
    "cert_manager_acme_solver": "rfc2136",
    "cert_manager_acme_staging": True,
    "cert_manager_acme_ca": "a certificate",
    "cert_manager_dns01_nameservers": ["192.0.2.53:53"],
    "external_dns_provider": "rfc2136",
    "external_dns_rfc2136_nameserver": "ns.example.org",
    "external_dns_rfc2136_key_name": "mastodon",
    "external_dns_owner_id": "mine",
    "external_dns_verify_nameserver": "192.0.2.53",
    "cnpg_backup": True,
    "cnpg_backup_endpoint": "https://s3.example.org",
    "cnpg_backup_bucket": "backups",
    "cnpg_cluster_wal_storage_size": "5Gi",
    "cnpg_cluster_storage_class": "fast",
    "cnpg_cluster_parameters": {"work_mem": "8MB"},
    "cnpg_pooler": True,
    "dragonfly_memory": "1Gi",
    "dragonfly_storage_class": "fast",
    "volsync_volumes": [{"name": "pages"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "volumes",
    **{f"{name}_values": {"extra": {"on": True}} for name in ("cert_manager", "cnpg", "dragonfly", "external_dns")},
    **{f"{name}_values": {"extra": {"on": True}} for name in ("external_secrets", "rook", "volsync", "cnpg_backup")},
    "mastodon_values": {"mastodon": {"extraEnvVars": {"ON": "true"}}},
    "flux_instance_extra": {"wait": False},
}
# Those that have no off, as all that reads them needs them, or that stand in no object.
NEEDED = {
    **dict.fromkeys(
        ["cert_manager_acme_email", "gateway_class", "mastodon_local_domain", "mastodon_smtp_server"], "always needed"
    ),
    **dict.fromkeys(
        ["external_dns_provider", "external_dns_rfc2136_nameserver", "external_dns_rfc2136_key_name"], "of a provider"
    ),
    **dict.fromkeys(["cnpg_backup_endpoint", "cnpg_backup_bucket", "volsync_endpoint", "volsync_bucket"], "of backups"),
    **dict.fromkeys(["cnpg_external_host", "dragonfly_external_host"], "of a backend"),
    **dict.fromkeys(["rook_external_endpoint", "rook_external_bucket", "rook_storage"], "of a backend"),
    "rook_copy_bucket": "of a copy",
    **dict.fromkeys(["gateway_hostnames", "gateway_certificate_hostnames", "flux_components"], "never empty"),
    "cert_manager_acme_staging": "another issuer has another name, and others may have certificates of the one before",
    "mastodon_web_processes": "a number that follows from the size",
    "flux_operator_manifest_checksum": "of a file that is fetched",
}
# What stays after a setting was turned off, by kind, and is named. Whoever turns an installation off takes over all of it.
RELEASE = {"HelmRelease", "HelmRepository", "Namespace"}
STAYS: dict[str, set[str]] = {
    "cert_manager_install": RELEASE,
    "cnpg_install": RELEASE,
    "cnpg_backup_install": RELEASE,
    "cnpg_backup": RELEASE | {"ExternalSecret", "ObjectStore"},
    "dragonfly_install": RELEASE,
    "external_dns_install": {"Namespace", "ExternalSecret"},
    "external_secrets_install": RELEASE,
    "flux_install": {"FluxInstance"},
    "gateway_install": {"Certificate", "Gateway", "HTTPRoute", "Namespace"},
    "mastodon_smtp_login": {"ExternalSecret"},
    "rook_copy_endpoint": {"ExternalSecret"},
    "rook_install": RELEASE | {"CephCluster", "CephBlockPool", "CephObjectStore"},
    "volsync_install": RELEASE,
    "volsync_volumes": RELEASE | {"ExternalSecret"},
}
# What goes: without these, a test that keeps everything would pass.
GOES = {
    "cnpg_backup": {"ScheduledBackup"},
    "cnpg_pooler": {"Pooler"},
    "external_dns_install": RELEASE - {"Namespace"},
    "gateway_media_hostname": {"HTTPRoute", "ReferenceGrant"},
    "mastodon_monitoring": {"PodMonitor", "Probe"},
    "mastodon_alerts": {"CronJob", "PodMonitor", "Probe", "PrometheusRule"},
    "mastodon_alerts_prober": {"Probe"},
    "mastodon_federation_watch": {"ConfigMap", "Deployment", "NetworkPolicy", "PodMonitor"},
    "mastodon_federation_echo": {"Service"},
    "mastodon_network_policies": {"NetworkPolicy"},
    "mastodon_sidekiq_workers": {"NetworkPolicy"},
    "mastodon_web_domain": {"HTTPRoute"},
    "mastodon_media_retention_days": {"CronJob"},
    "mastodon_preview_cards_retention_days": {"CronJob"},
    "rook_copy_endpoint": {"ConfigMap", "CronJob", "NetworkPolicy"},
    "volsync_volumes": {"ReplicationSource"},
}
OFF: dict[str, Any] = {"bool": False, "list": [], "dict": {}, "str": "", "int": None}
# What is off in another way.
ALSO: dict[str, Any] = {"mastodon_media_retention_days": 0, "mastodon_preview_cards_retention_days": 0}
FILES = [
    (path.parents[1].name, name)
    for path in sorted(ROOT.glob("roles/*/tasks/main.yml"))
    for name in ("main.yml", "leftovers.yml")
    if (path.parent / name).exists()
]


def settings() -> dict[str, Any]:
    """Return every setting of every role that can be off, and how it is written."""
    defaults: dict[str, Any] = {}
    for file in ROOT.glob("roles/*/defaults/main.yml"):
        defaults |= yaml.safe_load(file.read_text()) or {}
    found: dict[str, Any] = {}
    for file in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for name, option in yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"].items():
            kind = option.get("type", "str")
            if kind in ("bool", "list") or not defaults.get(name, "needed"):
                found[name] = OFF[kind]
    return {name: off for name, off in (found | ALSO).items() if name not in NEEDED}


@dataclass(frozen=True)
class Set:
    """What one task would apply."""

    options: dict[str, Any]
    objects: list[Object] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str]:
        return self.options["namespace"], self.options["name"]

    @property
    def content(self) -> str:
        prunes = [self.options.get(name) for name in ("prune", "prune_allow")]
        return json.dumps([self.place, prunes, self.objects], sort_keys=True)


@cache
def rendered(name: str = "", value: str = "") -> list[Set]:
    """Return the sets of all roles, in the order of their tasks; with one setting as its JSON says, of the roles that read it."""
    site = Site(**BASE | ({name: json.loads(value)} if name else {}))
    places = [place for place in FILES if not name or reads(place[0], name)]
    tasks = [task for place in places for task in site.tasks(*place).values()]
    return [Set(task[APPLY], task.get("applies", [])) for task in tasks if APPLY in task and task["when"]]


WORD = re.compile(r"\w+")


@cache
def words(role: str) -> frozenset[str]:
    """Return every word of a role's tasks, templates and variables, which has the names of all variables that it may read."""
    files = [
        path
        for folder in ("tasks", "templates", "vars", "defaults")
        for path in ROOT.glob(f"roles/{role}/{folder}/**/*.*")
    ]
    return frozenset(word for path in files for word in WORD.findall(path.read_text()))


@cache
def readers(name: str) -> frozenset[str]:
    """Return the setting and all variables that follow from it."""
    found = {name}
    variables: dict[str, Any] = {}
    for folder in ("defaults", "vars"):
        for file in ROOT.glob(f"roles/*/{folder}/**/*.yml"):
            variables |= yaml.safe_load(file.read_text()) or {}
    follows = {variable: set(WORD.findall(json.dumps(value))) for variable, value in variables.items()}
    while more := {variable for variable, read in follows.items() if read & found} - found:
        found |= more
    return frozenset(found)


def reads(role: str, name: str) -> bool:
    return bool(words(role) & readers(name))


class Somewhere:
    """A part of the cluster in which everything is called a little differently, so that it meets nobody."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self._cluster = cluster
        self.prefix = prefix
        self._namespaces: set[str] = set()
        self._objects = Objects(cluster.client)
        self._catalog = self._objects.discover()
        self.subjects: set[ObjectRef] = set()

    def apply(self, one: Set) -> Applied:
        """Do the task, without waiting for operators that are not there."""
        options = {name: one.options[name] for name in ("prune", "field_manager") if name in one.options}
        options["prune_allow"] = [
            called.replace(" ", f" {self.prefix}", 1) for called in one.options.get("prune_allow", [])
        ]
        namespace = self._namespace(one.options["namespace"])
        self.subjects.add(inventory.subject(one.options["name"], namespace))
        # Policies are for all namespaces, and would deny here what they are to deny.
        objects = [self._moved(item) for item in one.objects if "AdmissionPolicy" not in item["kind"]]
        self.subjects.update(ObjectRef.of(item) for item in objects)
        done = self._cluster.apply(*objects, name=one.options["name"], namespace=namespace, wait=False, **options)
        assert "failed" not in done.result, done.result
        return done

    def left(self) -> dict[str, Object]:
        """Return all that is there of what was ever applied here, by its name elsewhere."""
        found: dict[str, Object] = {}
        for subject in self.subjects:
            resource = self._catalog.preferred(subject.group, subject.kind)
            assert resource is not None
            for item in self._objects.read(Selection(resource, subject.namespace, subject.name)).objects:
                # Without what it owns, an object goes only when the garbage collector has come to know its kind.
                if "deletionTimestamp" in item["metadata"]:
                    continue
                found[self.reported(subject)] = json.loads(json.dumps(bare(item)).replace(self.prefix, ""))
        return found

    def reported(self, subject: ObjectRef) -> str:
        return str(subject).replace(self.prefix, "")

    def _namespace(self, name: str) -> str:
        moved = self.prefix + name
        if moved not in self._namespaces:
            self._namespaces.add(moved)
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": moved}}
            self._cluster.client.request("POST", "/api/v1/namespaces", about=moved, body=body)
        return moved

    def _moved(self, item: Object) -> Object:
        metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
        notes = {key: value for key, value in item["metadata"].get("annotations", {}).items() if key != DEPENDS_ON}
        if "namespace" in metadata:
            metadata["namespace"] = self._namespace(metadata["namespace"])
        else:
            metadata["name"] = self.prefix + metadata["name"]
        return {**item, "metadata": metadata | ({"annotations": notes} if notes else {})}

    def end(self) -> None:
        for subject in self.subjects:
            resource = self._catalog.preferred(subject.group, subject.kind)
            if resource is not None and not resource.namespaced and subject.kind != "Namespace":
                self._cluster.delete(resource.path(name=subject.name))
        for name in self._namespaces:
            self._cluster.delete(f"/api/v1/namespaces/{name}")


def bare(item: Object) -> Object:
    """Return what people would call the same."""
    passing = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
    metadata = {key: value for key, value in item["metadata"].items() if key not in passing}
    # Kubernetes counts there how often it rolled something out.
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    found = {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}
    if item["kind"] == "Service":
        # Each gets a free one.
        found["spec"] = {key: value for key, value in item["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return found


@pytest.fixture(scope="module")
def operators(kubeconfig: str) -> Iterator[None]:
    """Kinds of all operators, which take anything, without the operators."""
    client = Client(connect({"kubeconfig": kubeconfig}, {}))
    catalog = Objects(client).discover()
    items = [item for one in rendered() for item in one.objects]
    wanted = {
        (*item["apiVersion"].split("/"), item["kind"], "namespace" in item["metadata"])
        for item in items
        if "." in item["apiVersion"]
    }
    missing = [one for one in sorted(wanted) if not catalog.versions(one[0], one[2])]
    if not any(kind == "HelmRelease" for _group, _version, kind, _namespaced in missing):
        pytest.skip("this cluster has operators, which would act on what this test applies")
    for one in missing:
        client.request("POST", CRDS, about=one[2], body=definition(*one))
    until = time.monotonic() + 30
    while not all(Objects(client).discover().versions(one[0], one[2]) for one in missing):
        assert time.monotonic() < until
        time.sleep(0.2)
    yield
    for group, _version, kind, _namespaced in missing:
        client.request("DELETE", f"{CRDS}/{kind.lower()}s.{group}", about=kind)


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def definition(group: str, version: str, kind: str, namespaced: bool) -> Object:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    # Groups below k8s.io are guarded: https://github.com/kubernetes/enhancements/pull/1111
    notes = {"api-approved.kubernetes.io": "unapproved, of a test"} if group.endswith(".k8s.io") else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": notes},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture
def places(cluster: Cluster, operators: None) -> Iterator[tuple[Somewhere, Somewhere]]:
    """Two parts of the cluster: one on which a setting was on, and one on which it never was."""
    both = Somewhere(cluster, f"{cluster.namespace}-a-"), Somewhere(cluster, f"{cluster.namespace}-b-")
    yield both
    for place in both:
        place.end()


@pytest.mark.parametrize("name", settings())
def test_what_was_on_and_is_off_is_as_if_it_never_was(places: tuple[Somewhere, Somewhere], name: str) -> None:
    on, off = rendered(), rendered(name, json.dumps(settings()[name]))
    before = {one.content for one in on}
    differing = {one.place for one in off if one.content not in before}
    once, never = places
    for one in on:
        if one.place in differing:
            once.apply(one)
    had = once.left()
    lines: list[str] = []
    for one in off:
        if one.place in differing:
            lines += once.apply(one).lines
            never.apply(one)
    left, fresh = without_inventories(once), without_inventories(never)
    stayed = left.keys() - fresh.keys()
    reported = " ".join(lines).replace(once.prefix, "")
    assert {called.split()[0] for called in stayed} == STAYS.get(name, set())
    assert [called for called in stayed if called not in reported] == []
    assert {called: left[called] for called in fresh} == fresh
    gone = {called.split()[0] for called in had.keys() - left.keys()}
    assert gone >= GOES.get(name, set())


def without_inventories(place: Somewhere) -> dict[str, Object]:
    return {called: item for called, item in place.left().items() if "/fediverse.mastodon." not in called}
