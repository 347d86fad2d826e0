# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that the doctor asks for, compared with what the roles apply."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.protected import what_goes_with

from .conftest import APPLY, ROOT, Site
from .test_secrets import SETTINGS

FILES = [
    (path.parents[1].name, name)
    for path in sorted(ROOT.glob("roles/*/tasks/main.yml"))
    for name in ("main.yml", "leftovers.yml")
    if (path.parent / name).exists()
]
OURS: Mapping[str, Any] = {
    "flux_install": False,
    "omit": "(omitted)",
    "cnpg_applied": {"objects": [{"action": "skipped"}]},
    "mastodon_size": "large",
}
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
RELEASES = "helmreleases.helm.toolkit.fluxcd.io"
NAMESPACES = ("cnpg_cluster", "dragonfly_instance", "rook_claim", "volsync_volumes")
SITES: dict[str, dict[str, Any]] = {
    "the least": {},
    "everything": {
        **SETTINGS,
        **MADE_HERE,
        "cnpg_pooler": True,
        "mastodon_monitoring": True,
        "vault_kubernetes_host": "https://api.example.org:6443",
    },
    "everything in a namespace of its own": {
        **SETTINGS,
        **MADE_HERE,
        **{f"{name}_namespace": name.replace("_", "-") for name in NAMESPACES},
    },
    "nearly nothing": {**ELSEWHERE, "mastodon_smtp_login": False},
    "a private authority": {**SETTINGS, "cert_manager_issuer": "private_ca"},
}

Right = tuple[str, str, str]
# Whoever binds somebody to a role needs all that is in it, as he should not need `bind`, with which he could bind himself to any:
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update
IN_ROLE: Mapping[str, tuple[Right, ...]] = {
    "system:auth-delegator": (
        ("create", "tokenreviews.authentication.k8s.io", ""),
        ("create", "subjectaccessreviews.authorization.k8s.io", ""),
    )
}


def resource(item: Mapping[str, Any]) -> str:
    group, _unused, _version = item["apiVersion"].rpartition("/")
    singular = item["kind"].lower()
    endings = {r"([^aeiou])y$": r"\1ies", r"s$": "ses", r"$": "s"}
    ending = next(one for one in endings if re.search(one, singular))
    plural = re.sub(ending, endings[ending], singular, count=1)
    return f"{plural}.{group}" if group else plural


def needed(site: Site) -> Iterator[Right]:
    """Yield what applying all sets takes, by verb, resource and namespace."""
    tasks = [task for place in FILES for task in site.tasks(*place).values() if APPLY in task and task["when"]]
    for task in tasks:
        yield from (
            (verb, "configmaps", task[APPLY]["namespace"]) for verb in ("list", "watch", "create", "patch", "delete")
        )
        for item in task.get("applies", []):
            # One that is kept is deleted by people only.
            verbs = ("list", "watch", "create", "patch", *(() if what_goes_with(ObjectRef.of(item)) else ("delete",)))
            yield from ((verb, resource(item), item["metadata"].get("namespace", "")) for verb in verbs)
            if item["kind"].endswith("RoleBinding"):
                yield from IN_ROLE[item["roleRef"]["name"]]


def asked(site: Site, name: str) -> Iterator[Right]:
    for one in site.value(name):
        for namespace in one.get("namespaces") or [""]:
            yield from ((verb, kind, namespace) for kind in one["resources"] for verb in one["verbs"])


@pytest.mark.parametrize("name", SITES)
def test_the_doctor_asks_for_every_right_that_the_roles_use(name: str) -> None:
    site = Site(**OURS, **SITES[name])
    assert set(needed(site)) - set(asked(site, "doctor_rights_of_sets")) == set()


@pytest.mark.parametrize("name", SITES)
def test_the_doctor_asks_for_none_that_nothing_uses(name: str) -> None:
    site = Site(**OURS, **SITES[name])
    # Of kinds that every cluster has, those of all sizes are asked for.
    scaled = ("horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy")
    always = {"cronjobs.batch", *scaled, "networkpolicies.networking.k8s.io", "configmaps"}
    beyond = {
        right for right in set(asked(site, "doctor_rights_of_sets")) - set(needed(site)) if right[1] not in always
    }
    assert beyond == set()


def test_nothing_is_asked_of_all_namespaces_but_what_is_looked_for_there() -> None:
    site = Site(**OURS, **SITES["everything"])
    wide = {right for right in asked(site, "doctor_rights") if not right[2]}
    cluster_wide = {
        "namespaces",
        "clustersecretstores.external-secrets.io",
        "clusterissuers.cert-manager.io",
        "storageclasses.storage.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        *(kind for rights in IN_ROLE.values() for _verb, kind, _namespace in rights),
    }
    assert {(verb, kind) for verb, kind, _everywhere in wide if kind not in cluster_wide} == {
        ("list", "configmaps"),
        ("list", "externalsecrets.external-secrets.io"),
        ("list", "helmreleases.helm.toolkit.fluxcd.io"),
        ("list", "httproutes.gateway.networking.k8s.io"),
    }


def test_who_makes_flux_needs_all_rights() -> None:
    assert list(asked(Site(), "doctor_rights")) == [("*", "*.*", "")]


def test_what_is_looked_at_behind_releases_may_be_listed_where_they_are() -> None:
    site = Site(**OURS, **SITES["everything"])
    rights = set(asked(site, "doctor_rights"))
    places = {place for verb, kind, place in needed(site) if (verb, kind) == ("create", RELEASES)}
    looked = ("deployments.apps", "statefulsets.apps", "daemonsets.apps", "services")
    assert len(places) > 3
    assert {("list", kind, place) for kind in looked for place in places} - rights == set()


def test_the_family_by_which_pods_are_asked_may_be_looked_up() -> None:
    assert ("list", "services", "default") in set(asked(Site(**OURS), "doctor_rights"))
