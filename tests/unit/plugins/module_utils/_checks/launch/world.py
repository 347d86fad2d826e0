# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster and a Vault in memory, on which Mastodons were launched as a run of site.yml does."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import fullname
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import launch_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._vault.conftest import ADDRESS, FakeVault

FOLDER = "mastodon/example.org"
APP, SALT, OWNER = f"{FOLDER}/app", f"{FOLDER}/fingerprint", f"{FOLDER}/postgresql"
KEYS = {"secret-key-base": "session-canary", "are-primary-key": "encryption-canary"}
PASSWORD = {"password": "database-canary"}
SERVED = (
    kind("", "ConfigMap"),
    kind("", "Secret"),
    kind("", "PersistentVolumeClaim"),
    kind("apps", "Deployment"),
    kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"),
    kind("external-secrets.io", "ExternalSecret"),
    kind("external-secrets.io", "ClusterSecretStore", namespaced=False),
    kind("postgresql.cnpg.io", "Cluster"),
    kind("postgresql.cnpg.io", "Backup"),
    kind("barmancloud.cnpg.io", "ObjectStore"),
    kind("ceph.rook.io", "CephCluster"),
    kind("fluxcd.controlplane.io", "FluxInstance"),
    kind("gateway.networking.k8s.io", "Gateway"),
    kind("", "Service"),
    kind("networking.k8s.io", "ServiceCIDR", namespaced=False),
    kind("gateway.networking.k8s.io", "HTTPRoute"),
)
PLACES: dict[str, Any] = {
    "database_hosts": ["mastodon-db-rw.mastodon.svc", "mastodon-db-pooler.mastodon.svc"],
    "database_services": ["mastodon-db-rw.mastodon.svc", "mastodon-db-pooler.mastodon.svc"],
    "database_name": "mastodon",
    "database_user": "mastodon",
    "database_secret": "mastodon/mastodon-db-owner",
    "cache_host": "mastodon-redis.mastodon.svc",
    "media_endpoint": "http://rook-ceph-rgw-media.rook-ceph.svc",
    "media_bucket": "mastodon-mastodon-s3",
    "gateway_namespace": "gateway-system",
    "gateway_name": "shared",
    "gateway_class": "traefik",
    "ceph_namespace": "rook-ceph",
    "ceph_name": "rook-ceph",
    "ceph_path": "/var/lib/rook",
    "store": "vault-mastodon",
    "store_mount": "secret",
    "vault_role": "mastodon-example.org",
}
ENVIRONMENT = {
    "LOCAL_DOMAIN": "example.org",
    "DB_HOST": PLACES["database_hosts"][0],
    "DB_NAME": "mastodon",
    "REDIS_HOST": PLACES["cache_host"],
    "S3_ENDPOINT": PLACES["media_endpoint"],
    "S3_BUCKET": PLACES["media_bucket"],
}


def mirror(path: str, secret: str, keys: Mapping[str, str], **other: Any) -> dict[str, Any]:
    """Return an entry of the option `secrets`."""
    usual = {"namespace": None, "names": {}, "made": list(keys), "kept": True, "permanent": []}
    return {"path": path, "secret": secret, "keys": list(keys), **usual, **other}


WANTED: dict[str, Any] = {
    "namespace": "mastodon",
    "name": "mastodon",
    "local_domain": "example.org",
    "web_domain": "",
    "environment_from": "",
    "version": "v4.7.4",
    "accepted": [],
    "leaving": False,
    "places": PLACES,
    "moved_from": [],
    "operators": [
        {"kind": "HelmRelease", "name": "cloudnative-pg", "namespace": "cnpg-system", "setting": "cnpg_namespace"},
        {"kind": "FluxInstance", "name": "flux", "namespace": "flux-system", "setting": "flux_namespace"},
    ],
    "mount": "secret",
    "fingerprint_key": SALT,
    "secrets": [
        mirror(APP, "mastodon-app", KEYS, permanent=["are-primary-key"]),
        mirror(OWNER, "mastodon-db-owner", PASSWORD),
    ],
    "postgresql": {"cluster": "mastodon/mastodon-db", "version": "17.6", "host": "", "direct_host": "", "path": ""},
    "database_is_new": False,
    "redis": None,
    "beginning": None,
}


class World:
    """What the cluster and Vault hold."""

    def __init__(self) -> None:
        self.api = FakeApi(served=SERVED)
        self.vault = FakeVault()
        self.said: list[str] = []

    def connect(self, *_unused: Any) -> Vault:
        session = requests.Session()
        session.mount("http://", self.vault)
        return Vault(hvac.Client(url=ADDRESS, token="good", session=session), sleep=lambda _seconds: None)

    def put(self, api_version: str, kind_: str, place: str, **fields: Any) -> ObjectRef:
        """Store an object at `namespace/name`, or `name`."""
        namespace, _unused, name = place.rpartition("/")
        metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
        return ObjectRef.of(self.api.put({"apiVersion": api_version, "kind": kind_, "metadata": metadata, **fields}))

    def remove(self, kind_: str, name: str) -> None:
        """Delete an object, wherever it is."""
        for subject in [one for one in self.api.objects if (one.kind, one.name) == (kind_, name)]:
            del self.api.objects[subject]

    def store(self, path: str, data: Mapping[str, str] | None) -> None:
        """Add a version to a path of Vault, a deleted one for None."""
        self.vault.versions.setdefault(f"secret/data/{path}", []).append(None if data is None else dict(data))

    def lose(self, path: str) -> None:
        """Remove a path of Vault with all its versions, as `bao kv metadata delete` does."""
        self.vault.versions.pop(f"secret/data/{path}", None)

    def secret(self, place: str, data: Mapping[str, str], *, own: bool = True) -> None:
        """Store a Secret, as its ExternalSecret makes it, or somebody else."""
        owner = {"kind": "ExternalSecret", "name": place.partition("/")[2]}
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.put("v1", "Secret", place, metadata={"ownerReferences": [owner] if own else []}, data=encoded)

    def external_secret(self, place: str, path: str, *, synced: bool = True) -> None:
        """Store an ExternalSecret."""
        status = {"refreshTime": "2026-06-01T00:00:00Z"} if synced else {}
        spec = {"data": [{"remoteRef": {"key": path}}]}
        self.put("external-secrets.io/v1", "ExternalSecret", place, spec=spec, status=status)

    def config_map(self, namespace: str = "mastodon", name: str = "mastodon", **environment: str) -> None:
        """Store the environment of a release."""
        labels = {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": name}
        data = {**ENVIRONMENT, **environment}
        self.put("v1", "ConfigMap", f"{namespace}/{fullname(name)}-env", metadata={"labels": labels}, data=data)

    def deployment(self, image: str = "ghcr.io/mastodon/mastodon:v4.7.2") -> None:
        """Store the web pods' Deployment."""
        spec = {"template": {"spec": {"containers": [{"image": image}]}}}
        self.put("apps/v1", "Deployment", "mastodon/mastodon-web", spec=spec)

    def helm_release(
        self,
        place: str = "mastodon/mastodon",
        domain: str = "example.org",
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> None:
        """Store a release."""
        values = {"mastodon": {"localDomain": domain}}
        api_version, metadata = "helm.toolkit.fluxcd.io/v2", {"annotations": dict(annotations or {})}
        self.put(api_version, "HelmRelease", place, metadata=metadata, spec={"values": values, **spec})

    def cluster_secret_store(self, role: str, *namespaces: str) -> None:
        """Store the way to Vault."""
        vault = {"path": "secret", "auth": {"kubernetes": {"role": role}}}
        spec = {"provider": {"vault": vault}, "conditions": [{"namespaces": list(namespaces)}]}
        self.put("external-secrets.io/v1", "ClusterSecretStore", "vault-mastodon", spec=spec)

    def launch(self, image: str = "ghcr.io/mastodon/mastodon:v4.7.2", **environment: str) -> None:
        """Fill both as a run of site.yml does."""
        for path, data in ((APP, KEYS), (OWNER, PASSWORD), (SALT, {"key": "ab" * 32})):
            self.store(path, data)
        self.cluster_secret_store(PLACES["vault_role"], "mastodon")
        for name, path, keys in (("mastodon-app", APP, KEYS), ("mastodon-db-owner", OWNER, PASSWORD)):
            self.external_secret(f"mastodon/{name}", path)
            self.secret(f"mastodon/{name}", keys)
        self.helm_release(annotations=self.check()["annotations"])
        self.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db")
        self.config_map(**environment)
        self.deployment(image)
        route = {"parentRefs": [{"namespace": "gateway-system", "name": "shared"}]}
        self.put("gateway.networking.k8s.io/v1", "HTTPRoute", "mastodon/mastodon", spec=route)
        gateway = {"gatewayClassName": "traefik"}
        self.put("gateway.networking.k8s.io/v1", "Gateway", "gateway-system/shared", spec=gateway)

    def check(self, **other: Any) -> dict[str, Any]:
        """Run the task."""
        run = Run(check=False, diff=False, say=self.said.append, environment={})
        places = {**PLACES, **other.pop("places", {})}
        return launch_check.run_task({**WANTED, **other, "places": places}, run)

    def refused(self, **other: Any) -> list[str]:
        """Run the task and return what it refuses."""
        with pytest.raises(MastodonError) as refusal:
            self.check(**other)
        assert "canary" not in str(refusal.value), "a secret is shown"
        return str(refusal.value).splitlines()


def installed(world: World, patches: pytest.MonkeyPatch) -> World:
    """Let the task find this world."""
    patches.setattr(launch_check, "connect", lambda *_unused: None)
    patches.setattr(launch_check, "open_objects", lambda *_unused: world.api)
    patches.setattr(launch_check.vault, "connect", world.connect)
    return world
