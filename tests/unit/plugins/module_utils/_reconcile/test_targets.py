# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
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
        "Cluster ns/db: is not the only kind of that name: postgresql.cnpg.io/v1 Cluster, cluster.x-k8s.io/v1 Cluster. "
        "Set api_version to the one meant."
    )
    found = target(kind="Cluster", api_version="postgresql.cnpg.io/v1").resource(CATALOG)
    assert found is not None
    assert found.group == "postgresql.cnpg.io"


def served(group: str, name: str, plural: str, *names: str, version: str = "v1") -> Resource:
    return Resource(group, version, name, plural, True, names)


NAMED = Catalog(
    (
        served("", "Pod", "pods", "pod", "po"),
        served("", "Service", "services", "service", "svc"),
        served("", "Event", "events", "event", "ev"),
        served("apps", "Deployment", "deployments", "deployment", "deploy"),
        served("events.k8s.io", "Event", "events", "event", "ev"),
        served("metrics.k8s.io", "PodMetrics", "pods", version="v1beta1"),
        served("serving.knative.dev", "Service", "services", "service", "ksvc"),
        served("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", "helmrelease", "hr", version="v2"),
    ),
    unanswered=[("custom.metrics.k8s.io", "v1beta1")],
)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"kind": name}, "apps/v1 Deployment")
        for name in ("Deployment", "deployment", "DEPLOYMENT", "deployments", "Deployments", "deploy")
    ]
    + [
        ({"kind": "pods"}, "v1 Pod"),
        ({"kind": "Service"}, "v1 Service"),
        ({"kind": "svc"}, "v1 Service"),
        ({"kind": "ev"}, "v1 Event"),
        ({"kind": "hr"}, "helm.toolkit.fluxcd.io/v2 HelmRelease"),
        ({"kind": "ksvc"}, "serving.knative.dev/v1 Service"),
        ({"kind": "service", "api_version": "serving.knative.dev/v1"}, "serving.knative.dev/v1 Service"),
        ({"kind": "pods", "api_version": "metrics.k8s.io/v1beta1"}, "metrics.k8s.io/v1beta1 PodMetrics"),
        ({"kind": "deploy", "api_version": "apps/v1"}, "apps/v1 Deployment"),
    ],
)
def test_a_kind_is_called_as_kubectl_calls_it(options: dict[str, str], found: str) -> None:
    resource = target(**options).resource(NAMED)
    assert resource is not None
    assert f"{resource.api_version} {resource.kind}" == found
    assert target(**options, namespace="ns", name="a").subject(resource).kind == resource.kind


WRONG = {
    "Deploymnt": "the cluster has no kind Deploymnt. Did you mean apps/v1 Deployment?",
    "apps/v1 Deploymnt": "the cluster has no kind apps/v1 Deploymnt. Did you mean apps/v1 Deployment?",
    "apps/v1beta1 Deployment": "the cluster has no kind apps/v1beta1 Deployment, only v1. Correct kind",
    "app/v1 Deployment": "the cluster has no kind app/v1 Deployment. Did you mean apps/v1 Deployment?",
    "helm.toolkit.fluxcd.io/v2beta2 HelmRelease": "no kind helm.toolkit.fluxcd.io/v2beta2 HelmRelease, only v2. Correct",
    "helm.toolkit.fluxcd.io/v2 Releese": "the cluster has no kind helm.toolkit.fluxcd.io/v2 Releese. Correct kind",
    "v1 Deployment": "the cluster has no kind v1 Deployment. Correct kind and api_version",
    "custom.metrics.k8s.io/v1beta1 Metric": (
        "API group custom.metrics.k8s.io: is served by APIService v1beta1.custom.metrics.k8s.io, whose service does not answer. "
        "Check it: kubectl describe apiservice v1beta1.custom.metrics.k8s.io."
    ),
}


@pytest.mark.parametrize("called", WRONG)
def test_what_may_be_misspelt_is_never_taken_for_something_that_is_not_there(called: str) -> None:
    version, _unused, name = called.rpartition(" ")
    said: list[str] = []
    with pytest.raises(MastodonError) as caught:
        target(kind=name, api_version=version, namespace="ns", name="a").present(NAMED, said.append)
    assert WRONG[called] in str(caught.value)
    assert said == []


def test_of_an_api_group_that_the_cluster_has_not_there_is_nothing_and_that_is_said() -> None:
    said: list[str] = []
    gone = target(kind="Cluster", api_version="postgresql.cnpg.io/v1", namespace="ns", name="db")
    assert gone.present(NAMED, said.append) is None
    assert said == ["Cluster ns/db: the cluster has no API group postgresql.cnpg.io, and so nothing of this kind"]


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"kind": "Lost"}, "Lost: cannot be found: the cluster has no kind Lost."),
        ({"kind": "Lost", "api_version": "a.b/v1"}, "Lost: cannot be found: the cluster has no kind a.b/v1 Lost."),
        (
            {"kind": "Widget", "api_version": "example.test/v1"},
            "Widget: cannot be found: the cluster has no kind example.test/v1 Widget, only v1beta1.",
        ),
    ],
)
def test_a_kind_that_is_not_served_is_named(options: dict[str, str], reported: str) -> None:
    assert target(**options).resource(CATALOG) is None
    assert str(not_served(target(**options), CATALOG)).startswith(reported)


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (
            {"kind": "Namespace", "namespace": "ns", "name": "a"},
            "Namespace ns/a: belongs to no namespace. Remove namespace.",
        ),
        ({"kind": "Secret", "name": "a"}, "Secret a: needs a namespace. Set namespace."),
    ],
)
def test_a_wrong_scope_is_refused(options: dict[str, str], reported: str) -> None:
    resource = target(**options).resource(CATALOG)
    assert resource is not None
    with pytest.raises(MastodonError) as caught:
        target(**options).selection(resource)
    assert str(caught.value) == reported


def test_labels_select_in_all_namespaces() -> None:
    chosen = target(kind="Secret", label_selector="a=b")
    resource = chosen.resource(CATALOG)
    assert resource is not None
    assert chosen.selection(resource).query() == {"labelSelector": "a=b"}
    assert str(chosen) == "Secret with a=b"
