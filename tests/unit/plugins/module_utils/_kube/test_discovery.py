# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import (
    Catalog,
    Resource,
    parse,
    stale,
    unanswered_error,
)

DOCUMENT = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {
                    "version": version,
                    "resources": [
                        {
                            "resource": "deployments",
                            "responseKind": {"kind": "Deployment"},
                            "scope": "Namespaced",
                            "singularResource": "deployment",
                            "shortNames": ["deploy"],
                        },
                        {"resource": "only-subresources", "scope": "Namespaced"},
                    ],
                }
                for version in ("v1", "v1beta1")
            ],
        },
        {"metadata": {"name": "empty.test"}},
        {"metadata": {"name": "lost.test"}, "versions": [{"version": "v1", "freshness": "Stale"}]},
    ],
}


def test_kinds_are_found_in_the_version_asked_for_or_the_preferred_one() -> None:
    catalog = Catalog(parse(DOCUMENT))
    deployment = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
    assert catalog.find("apps", "v1", "Deployment") == deployment
    assert catalog.preferred("apps", "Deployment") == deployment
    assert catalog.find("apps", "v2", "Deployment") is None
    assert catalog.preferred("", "Deployment") is None


def test_a_kind_is_found_by_all_its_names() -> None:
    catalog = Catalog(parse(DOCUMENT))
    assert {catalog.called(name)[0].version for name in ("Deployment", "deployments", "deployment", "deploy")} == {"v1"}
    assert catalog.called("deploy", "apps/v1beta1")[0].version == "v1beta1"
    assert catalog.called("only-subresources") == ()


def test_a_group_whose_own_server_does_not_answer_is_distinguished_from_one_that_is_not_there() -> None:
    catalog = Catalog(parse(DOCUMENT), stale(DOCUMENT))
    assert "APIService v1.lost.test, whose service does not answer" in str(unanswered_error(catalog, "lost.test"))
    assert catalog.serves("lost.test")
    for group, version in (("apps", ""), ("gone.test", ""), ("lost.test", "v2")):
        assert unanswered_error(catalog, group, version) is None


def test_an_old_server_is_named() -> None:
    with pytest.raises(MastodonError, match=r"Upgrade to Kubernetes 1\.30"):
        parse({"kind": "APIGroupList"})


@pytest.mark.parametrize(
    ("resource", "place", "path"),
    [
        (Resource("", "v1", "Pod", "pods", True), ("ns", "p"), "/api/v1/namespaces/ns/pods/p"),
        (Resource("", "v1", "Pod", "pods", True), (), "/api/v1/pods"),
        (Resource("a.b", "v2", "X", "xs", True), ("ns",), "/apis/a.b/v2/namespaces/ns/xs"),
        (Resource("a.b", "v2", "X", "xs", False), ("", "x"), "/apis/a.b/v2/xs/x"),
    ],
)
def test_paths(resource: Resource, place: tuple[str, ...], path: str) -> None:
    assert resource.path(*place) == path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("system:basic-user", "system:basic-user"),
        ("a?b#c d", "a%3Fb%23c%20d"),
        ("a/status", "a%2Fstatus"),
        ("日", "%E6%97%A5"),
    ],
)
def test_a_name_in_a_path_is_quoted(name: str, path: str) -> None:
    role = Resource("rbac.authorization.k8s.io", "v1", "Role", "roles", namespaced=True)
    assert role.path("ns", name) == f"/apis/rbac.authorization.k8s.io/v1/namespaces/ns/roles/{path}"
