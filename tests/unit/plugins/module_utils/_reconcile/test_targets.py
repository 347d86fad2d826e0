# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.targets import Target, not_served
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import SERVED, kind

CATALOG = Catalog((*SERVED, kind("cluster.x-k8s.io", "Cluster"), kind("example.test", "Widget", version="v1beta1")))


def target(**options: Any) -> Target:
    return Target.of({"api_version": None, "namespace": None, "name": None, "label_selector": None, **options})


def test_a_kind_is_found_by_its_name_alone() -> None:
    found = target(kind="Deployment").resource(CATALOG)
    assert found is not None
    assert found.api_version == "apps/v1"


def test_a_kind_of_several_groups_is_refused_unless_the_group_is_given() -> None:
    with pytest.raises(MastodonError) as caught:
        target(kind="Cluster", namespace="ns", name="db").resource(CATALOG)
    assert str(caught.value) == (
        "Cluster ns/db: is not the only kind of that name: postgresql.cnpg.io/v1, cluster.x-k8s.io/v1. "
        "Set api_version to the one meant."
    )
    found = target(kind="Cluster", api_version="postgresql.cnpg.io/v1").resource(CATALOG)
    assert found is not None
    assert found.group == "postgresql.cnpg.io"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "Lost"}, "Lost: cannot be found: the cluster has no kind Lost."),
        ({"kind": "Lost", "api_version": "a.b/v1"}, "Lost: cannot be found: the cluster has no kind a.b/v1 Lost."),
        (
            {"kind": "Widget", "api_version": "example.test/v1"},
            "Widget: cannot be found: the cluster has no kind example.test/v1 Widget, only v1beta1.",
        ),
    ],
)
def test_a_kind_that_is_not_served_is_named(options: dict[str, str], told: str) -> None:
    assert target(**options).resource(CATALOG) is None
    assert str(not_served(target(**options), CATALOG)).startswith(told)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"kind": "Namespace", "namespace": "ns", "name": "a"},
            "Namespace ns/a: belongs to no namespace. Remove namespace.",
        ),
        ({"kind": "Secret", "name": "a"}, "Secret a: needs a namespace. Set namespace."),
    ],
)
def test_a_wrong_scope_is_refused(options: dict[str, str], told: str) -> None:
    resource = target(**options).resource(CATALOG)
    assert resource is not None
    with pytest.raises(MastodonError) as caught:
        target(**options).selection(resource)
    assert str(caught.value) == told


def test_labels_select_in_all_namespaces() -> None:
    chosen = target(kind="Secret", label_selector="a=b")
    resource = chosen.resource(CATALOG)
    assert resource is not None
    assert chosen.selection(resource).query() == {"fieldSelector": "type!=helm.sh/release.v1", "labelSelector": "a=b"}
    assert str(chosen) == "Secret with a=b"
