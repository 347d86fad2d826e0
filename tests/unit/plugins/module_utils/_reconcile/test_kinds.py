# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.kinds import missing

CATALOG = Catalog(
    [
        Resource("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases", True),
        Resource("", "v1", "Secret", "secrets", True),
    ]
)


def want(api_version: str, kind: str, provided_by: str = "flux") -> dict[str, str]:
    return {"api_version": api_version, "kind": kind, "provided_by": provided_by}


@pytest.mark.parametrize("kind", [want("helm.toolkit.fluxcd.io/v2", "HelmRelease"), want("v1", "Secret")])
def test_a_kind_that_is_served_is_no_finding(kind: dict[str, str]) -> None:
    assert missing([kind], CATALOG) == []


def test_a_missing_kind_names_the_tag_that_provides_it() -> None:
    assert missing([want("x.io/v1", "X", "cnpg")], CATALOG) == [
        "X (x.io/v1): not served by this cluster. Run fediverse.mastodon.site with --tags cnpg first, or without tags."
    ]


def test_another_version_of_the_kind_is_not_enough() -> None:
    assert missing([want("helm.toolkit.fluxcd.io/v3", "HelmRelease")], CATALOG) == [
        "HelmRelease (helm.toolkit.fluxcd.io/v3): served by this cluster only as v2. "
        "Upgrade what serves it, or use the release of this collection that fits it."
    ]


def test_a_kind_that_no_role_provides_is_the_administrators() -> None:
    assert missing([want("gateway.networking.k8s.io/v1", "Gateway", "")], CATALOG) == [
        "Gateway (gateway.networking.k8s.io/v1): not served by this cluster. Install it before this collection."
    ]


def test_a_kind_whose_own_server_does_not_answer_is_not_called_missing() -> None:
    silent = Catalog((), [("metrics.k8s.io", "v1beta1")])
    assert missing([want("metrics.k8s.io/v1beta1", "PodMetrics", "")], silent) == [
        "API group metrics.k8s.io: is served by APIService v1beta1.metrics.k8s.io, whose service does not answer. Check it: "
        "kubectl describe apiservice v1beta1.metrics.k8s.io. Repair its service, or delete the APIService."
    ]
