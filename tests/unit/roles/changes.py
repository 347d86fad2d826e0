# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Mastodon launched with some settings, and what a run with one other does to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.external_dns import owner_problems
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import VALUES
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER, ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import launch_check
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import World, installed

from .conftest import ROOT, Site
from .test_alone import EVERYTHING

LAUNCH = "fediverse.mastodon.launch_check"
# Whatever the size works out may be changed, so that nothing is empty here.
BASE: dict[str, Any] = {
    **EVERYTHING,
    "gateway_class": "traefik",
    "mastodon_namespace": "mastodon",
    "rook_claim_name": "people-s3",
    "external_dns_owner_id": "people",
    # Not used until a backend changes.
    "cnpg_external_host": "db.example.org",
    "dragonfly_external_host": "redis.example.org",
    "vault_path": "mastodon/example.org",
}
# Where another value has to be of a certain form.
OTHERS: dict[str, Any] = {
    "cert_manager_acme_solver": "http01",
    "cert_manager_issuer": "private_ca",
    "cnpg_backend": "external",
    "cnpg_cluster_image": "ghcr.io/cloudnative-pg/postgresql:17.9",
    "cnpg_cluster_memory": "3Gi",
    "cnpg_cluster_storage_size": "99Gi",
    "cnpg_cluster_parameters": {"log_min_duration_statement": "1s"},
    "cnpg_pooler_parameters": {"max_db_connections": "10"},
    "dragonfly_backend": "external",
    "dragonfly_memory": "2Gi",
    "external_dns_provider": "cloudflare",
    "mastodon_image_tag": "v4.7.5",
    "mastodon_moved_from": ["somewhere"],
    "mastodon_sidekiq_workers": [
        {
            "name": "all",
            "replicas": 1,
            "concurrency": 10,
            "queues": ["default,8", "push,6", "ingress,4", "mailers,2", "pull", "scheduler", "fasp"],
        }
    ],
    "mastodon_size": "medium",
    "mastodon_trusted_proxies": ["192.0.2.0/24"],
    "cnpg_cluster_allowed_clients": ["monitoring", "192.0.2.0/24"],
    "mastodon_values": {"mastodon": {"authorizedFetch": True}},
    "mastodon_web_max_replicas": 9,
    "rook_backend": "external",
    "rook_external_endpoint": "https://other.example.org",
    "rook_storage": {"deviceFilter": "^sdc$"},
    "vault_given_secrets": {"smtp": {"password": "other"}},
    "volsync_volumes": [{"name": "other"}],
}
# Objects whose change starts what they run anew, and what that is.
RESTARTS = {
    "HelmRelease": "Mastodon",
    "Cluster": "the database",
    "Pooler": "the pooler",
    "Dragonfly": "the cache",
    "CephObjectStore": "the object store",
}
RELEASE, OPERATOR = "HelmRelease mastodon/social", "an operator"
ROLES = ("mastodon", "cnpg", "dragonfly", "rook")


def settings() -> dict[str, Mapping[str, Any]]:
    """Return the options of all roles."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        found |= yaml.safe_load(file.read_text())["argument_specs"]["main"].get("options") or {}
    return found


def other(name: str, spec: Mapping[str, Any], now: Any) -> Any:
    """Return another value for a setting."""
    if name in OTHERS:
        return OTHERS[name]
    if spec.get("choices"):
        return next(choice for choice in spec["choices"] if choice != now)
    match spec.get("type", "str"):
        case "bool":
            return not now
        case "int":
            return int(now or 1) + 1
        case "list":
            return [*(now or []), "other"]
        case "dict":
            return {**(now or {}), "other": "x"}
    return f"{now}-other" if now else "other"


class Launched:
    """The Mastodon of BASE, as it is after a run."""

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        self.site = Site(**BASE)
        self.world = installed(World(), patches)
        # Servers of the user's own are asked for nothing here.
        patches.setattr(stores.Asked, "version", lambda *_unused: "")
        self._fill()

    def _fill(self) -> None:
        for item in self.objects.values():
            metadata = {**item["metadata"], "managedFields": [{"manager": MANAGER}]}
            self.world.api.put({**item, "metadata": metadata, "status": {"refreshTime": "2026-06-01T00:00:00Z"}})
        values = at(self.objects[RELEASE], "spec.values")
        environment = {name: str(at(values, path)) for name, path in VALUES.items() if at(values, path)}
        self.world.config_map("mastodon", "social", **environment)
        for mirror in self.site.value("mastodon_mirrors"):
            data = {key: f"value of {key}" for key in mirror["keys"]}
            self.world.vault.versions[f"{self.site.value('vault_mount')}/data/{mirror['path']}"] = [data]
            names = {mirror.get("names", {}).get(key, key): value for key, value in data.items()}
            self.world.secret(f"{mirror.get('namespace') or 'mastodon'}/{mirror['secret']}", names)

    @cached_property
    def objects(self) -> dict[str, Any]:
        """Return all that the roles apply."""
        return self._rendered(self.site, sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml")))

    def _rendered(self, site: Site, roles: Any) -> dict[str, Any]:
        found = [item for role in roles for item in site.objects(role).values()]
        return {f"{item['kind']} {ObjectRef.of(item).namespace}/{item['metadata']['name']}": item for item in found}

    def outcome(self, name: str, value: Any) -> str:
        """Return what a run with another value of one setting does: refused, restarts something, or nothing to it."""
        site = Site(**{**BASE, name: value})
        if refusal := self._refusal(site):
            return f"refused: {refusal}"
        rendered = self._rendered(site, ROLES)
        started = {
            OPERATOR if item["kind"] == "HelmRelease" and place != RELEASE else RESTARTS[item["kind"]]
            for place, item in rendered.items()
            if item["kind"] in RESTARTS and place in self.objects and _started(item) != _started(self.objects[place])
        }
        return f"restarts {' and '.join(sorted(started))}" if started else "safe"

    def _refusal(self, site: Site) -> str:
        (looked,) = (one[LAUNCH] for one in site.tasks("mastodon", "launched.yml").values() if LAUNCH in one)
        spec = ArgumentSpecValidator(launch_check.ARGUMENTS.options)
        checked = spec.validate({key: one for key, one in looked.items() if one is not None})
        assert not checked.error_messages, checked.error_messages
        run = Run(check=True, diff=False, say=self.world.said.append, environment={})
        try:
            launch_check.run_task(checked.validated_parameters, run)
        except MastodonError as refused:
            return str(refused).splitlines()[0]
        releases = [item for item in self.objects.values() if item["kind"] == "HelmRelease"]
        owner = site.value("external_dns_owner_id") or site.value("external_dns_derived_owner_id")
        place = site.value("external_dns_namespace"), site.value("external_dns_name")
        return next(iter(owner_problems(releases, *place, owner)), "")


def _started(item: Mapping[str, Any]) -> Any:
    """Return what of an object its pods are started with."""
    spec = item["spec"]
    return (_of_pods(spec.get("values")), spec.get("chart")) if item["kind"] == "HelmRelease" else spec


def _of_pods(values: Any) -> Any:
    """Return values without how many pods there are, as more or fewer start none anew."""
    if isinstance(values, list):
        return [_of_pods(value) for value in values]
    if isinstance(values, Mapping):
        return {key: _of_pods(value) for key, value in values.items() if key != "replicas"}
    return values
