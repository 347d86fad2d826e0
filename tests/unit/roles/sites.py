# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories which between them have every object that the roles apply, and what is done with each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from .conftest import APPLY, ROOT, TYPED, Site
from .test_secrets import SETTINGS

WAIT = "fediverse.mastodon.wait"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# What tasks register, so that all of them run.
REGISTERED = {**TYPED, "cnpg_applied": {"objects": [{"action": "skipped"}]}}
LARGE = {"flux_install": False, "mastodon_size": "large"}
MADE_HERE = {
    "rook_backend": "rook",
    "rook_profile": "minimal",
    "rook_storage": {"deviceFilter": "^sdb$"},
    "gateway_media_hostname": "media.example.org",
}
ELSEWHERE = {
    "cnpg_backend": "external",
    "cnpg_external_host": "db.example.org",
    "dragonfly_backend": "external",
    "dragonfly_external_host": "redis.example.org",
    "external_dns_install": False,
    "gateway_install": False,
    "cert_manager_issuer": "existing",
    "cert_manager_install": False,
    "external_secrets_install": False,
}
NAMESPACES = ("cnpg_cluster", "dragonfly_instance", "rook_claim", "volsync_volumes")
SITES: dict[str, dict[str, Any]] = {
    "the least": LARGE,
    "everything": {
        **LARGE,
        **SETTINGS,
        **MADE_HERE,
        "cnpg_pooler": True,
        "cnpg_cluster_allowed_clients": ["monitoring", "7", "192.0.2.0/24", "fd00::/8"],
        "mastodon_alerts": True,
        "mastodon_alerts_prober": "blackbox.monitoring.svc:9115",
        "mastodon_federation_watch": True,
        "mastodon_federation_echo": True,
        "vault_kubernetes_host": "https://api.example.org:6443",
        "mastodon_admin_username": "alice",
        "mastodon_admin_email": "alice@example.org",
        # One that got up, of which uninstalling leaves a record.
        "mastodon_launch": {"launched": True, "installed": True, "version": "v4.7.4", "annotations": {}},
    },
    "everything in a namespace of its own": {
        **LARGE,
        **SETTINGS,
        **MADE_HERE,
        **{f"{name}_namespace": name.replace("_", "-") for name in NAMESPACES},
        "cnpg_backup_vault_path": "shared/backups",
        "rook_copy_vault_path": "shared/copy",
        "volsync_vault_path": "mastodon/other/restic",
    },
    "nearly nothing": {
        **LARGE,
        **ELSEWHERE,
        "mastodon_smtp_login": False,
        "cnpg_cluster_namespace": "databases",
        "dragonfly_instance_namespace": "caches",
    },
    "a private authority": {**LARGE, **SETTINGS, "cert_manager_issuer": "private_ca"},
    # An issuer for all, as its credential is cert-manager's own.
    "no key for DNS": {**LARGE, "cert_manager_acme_solver": "route53", "cert_manager_vault_path": ""},
    "no policies": {**LARGE, "mastodon_network_policies": False},
    "a bucket of yours in the cluster": {
        **LARGE,
        "rook_external_endpoint": "http://s3.object-store.svc.cluster.local:8333",
        "gateway_media_hostname": "media.example.org",
    },
    "Flux as well": {},
}
FLUX_IS_THERE = [name for name, settings in SITES.items() if not settings.get("flux_install", True)]


@cache
def site(name: str) -> Site:
    return Site(**REGISTERED, **SITES[name])


@cache
def files(role: str) -> tuple[str, ...]:
    """Return main.yml, which stands for what it imports, and the files of tasks that it leaves out."""
    folder = ROOT / "roles" / role / "tasks"
    imported = re.findall(r"import_tasks: (\S+)", (folder / "main.yml").read_text()) if folder.exists() else []
    return tuple(sorted(path.name for path in folder.glob("*.yml") if path.name not in imported))


@cache
def done(name: str) -> tuple[Mapping[str, Any], ...]:
    """Return every task that runs there."""
    found = (task for role in ROLES for file in files(role) for task in site(name).tasks(role, file).values())
    return tuple(task for task in found if task["when"])


def applied(name: str) -> Iterator[Mapping[str, Any]]:
    for task in done(name):
        yield from task.get("applies", ()) if APPLY in task else ()


def waited_for(name: str) -> Iterator[Mapping[str, Any]]:
    """Return, in the form of objects, what is waited for that another task has applied."""
    for task in done(name):
        for action, options in task.items():
            if action.startswith("fediverse.mastodon."):
                named = [*options.get("depends_on", []), *(options["objects"] if action == WAIT else [])]
                yield from (
                    {"apiVersion": one.get("api_version", ""), "kind": one["kind"], "metadata": one} for one in named
                )


def kind(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return group and kind of an object."""
    return str(item["apiVersion"]).rpartition("/")[0], str(item["kind"])


@cache
def every_kind() -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return all kinds that roles apply, each with one object of it."""
    return {kind(item): item for name in SITES for item in applied(name)}


def written_kinds() -> set[str]:
    """Return every kind that stands in the templates of roles, whatever it takes until it is rendered."""
    texts = [path.read_text() for path in ROOT.glob("roles/*/templates/*.j2")]
    return {name for text in texts for name in re.findall(r"^kind: (\w+)$", text, re.MULTILINE)}
