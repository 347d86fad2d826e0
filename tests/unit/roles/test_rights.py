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

from .conftest import APPLY, Site
from .sites import FLUX_IS_THERE, applied, done, every_kind, kind, site, waited_for, written_kinds

RELEASES = "helmreleases.helm.toolkit.fluxcd.io"

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


def needed(name: str) -> Iterator[Right]:
    """Yield what applying all sets takes, by verb, resource and namespace."""
    for task in done(name):
        if APPLY not in task:
            continue
        yield from (
            (verb, "configmaps", task[APPLY]["namespace"]) for verb in ("list", "watch", "create", "patch", "delete")
        )
        for item in task["applies"]:
            # One that is kept is deleted by people only.
            verbs = ("list", "watch", "create", "patch", *(() if what_goes_with(ObjectRef.of(item)) else ("delete",)))
            yield from ((verb, resource(item), item["metadata"].get("namespace", "")) for verb in verbs)
            if item["kind"].endswith("RoleBinding"):
                yield from IN_ROLE[item["roleRef"]["name"]]


def asked(name: str, variable: str) -> Iterator[Right]:
    for one in site(name).value(variable):
        for namespace in one.get("namespaces") or [""]:
            yield from ((verb, kind, namespace) for kind in one["resources"] for verb in one["verbs"])


def test_every_kind_in_a_template_is_in_one_of_the_inventories() -> None:
    """Nobody knows what it takes to apply what is never rendered."""
    assert written_kinds() - {name for _unused, name in every_kind()} == set()


@pytest.mark.parametrize("name", FLUX_IS_THERE)
def test_the_doctor_asks_for_every_right_that_the_roles_use(name: str) -> None:
    assert set(needed(name)) - set(asked(name, "doctor_rights_of_sets")) == set()


@pytest.mark.parametrize("name", FLUX_IS_THERE)
def test_the_doctor_asks_for_the_rights_to_wait(name: str) -> None:
    rights = {
        (verb, resource(one), one["metadata"]["namespace"]) for one in waited_for(name) for verb in ("list", "watch")
    }
    assert rights - set(asked(name, "doctor_rights")) == set()


def test_only_flux_itself_takes_more_than_is_asked_for_kind_by_kind() -> None:
    compared = {kind(item) for name in FLUX_IS_THERE for item in applied(name)}
    assert every_kind().keys() - compared == {("fluxcd.controlplane.io", "FluxInstance")}


@pytest.mark.parametrize("name", FLUX_IS_THERE)
def test_the_doctor_asks_for_none_that_nothing_uses(name: str) -> None:
    # Of kinds that every cluster has, those of all sizes are asked for.
    scaled = ("horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy")
    always = {"cronjobs.batch", *scaled, "configmaps"}
    unused = set(asked(name, "doctor_rights_of_sets")) - set(needed(name))
    assert {right for right in unused if right[1] not in always} == set()


def test_nothing_is_asked_of_all_namespaces_but_what_is_looked_for_there() -> None:
    wide = {right for right in asked("everything", "doctor_rights") if not right[2]}
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
    assert list(asked("Flux as well", "doctor_rights")) == [("*", "*.*", "")]


def test_what_is_looked_at_behind_releases_may_be_listed_where_they_are() -> None:
    rights = set(asked("everything", "doctor_rights"))
    places = {place for verb, kind, place in needed("everything") if (verb, kind) == ("create", RELEASES)}
    looked = ("deployments.apps", "statefulsets.apps", "daemonsets.apps", "services")
    assert len(places) > 3
    assert {("list", kind, place) for kind in looked for place in places} - rights == set()


def test_the_family_by_which_pods_are_asked_may_be_looked_up() -> None:
    assert ("list", "services", "default") in set(asked("the least", "doctor_rights"))


def test_the_health_of_a_ceph_that_somebody_else_installed_may_be_read() -> None:
    theirs = Site(rook_backend="rook", rook_install=False, rook_namespace="storage")
    right = {"namespaces": ["storage"], "resources": ["cephclusters.ceph.rook.io"], "verbs": ["list"]}
    assert right in theirs.value("doctor_rights_of_looks")


def test_servers_of_yours_that_are_in_the_cluster_may_be_asked_where_they_are() -> None:
    mine = Site(
        rook_backend="external",
        rook_external_endpoint="http://s3.object-store.svc.cluster.local:8333",
        cnpg_backend="external",
        cnpg_external_host="db.databases.svc",
        dragonfly_backend="external",
        dragonfly_external_host="cache.example.org",
    )
    found = set(mine.value("doctor_server_namespaces"))
    assert {"object-store", "databases"} <= found
    assert "example" not in found
    rights = [one for one in mine.value("doctor_rights_of_looks") if one["resources"] == ["pods/portforward"]]
    assert set(rights[0]["namespaces"]) == found
