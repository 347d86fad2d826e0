# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects with which Flux installs one chart, the same for every role."""

from __future__ import annotations

DOCUMENTATION = r"""
name: helm_release
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Objects with which Flux installs a Helm chart
description:
  - Returns a Namespace, a HelmRepository and a HelmRelease for one chart, ready for M(fediverse.mastodon.apply).
  - A failed install or upgrade is tried again. It is never uninstalled or rolled back, as either could destroy
    what the chart manages or leave an application older than its database.
options:
  _input:
    description: Name of the release and, unless O(chart) says otherwise, of the chart.
    type: str
    required: true
  namespace:
    description: Namespace of all three objects.
    type: str
    required: true
  repository:
    description: Helm repository, as C(https://…), C(http://…) or C(oci://…).
    type: str
    required: true
  version:
    description: Version or range of the chart.
    type: str
    required: true
  chart:
    description: Name of the chart.
    type: str
  values:
    description: Helm values.
    type: dict
    default: {}
  timeout:
    description: Bound on one install or upgrade, each of its hook Jobs included, as Go writes durations.
    type: str
    default: 10m
  annotations:
    description: Annotations of the HelmRelease, such as C(config.kubernetes.io/depends-on).
    type: dict
    default: {}
  crds:
    description:
      - What Flux does with CRDs in the chart's folder C(crds). Those among its templates are the release's own, whatever this says.
      - V(CreateReplace) is for kinds that no other release has. With V(Create) those that are there stay as they are, with V(Skip) none is
        made.
    type: str
    choices: [Skip, Create, CreateReplace]
    default: CreateReplace
  patches:
    description:
      - Changes to what the chart renders, where it has no value for them, as Flux's C(postRenderers) takes patches of Kustomize.
      - >-
        Each has C(target), such as V({kind: Deployment, name: app}), and C(patch), what is to be merged into the object or a list of
        operations.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Install an operator
  fediverse.mastodon.apply:
    name: cloudnative-pg
    namespace: cnpg-system
    objects: >-
      {{ 'cloudnative-pg' | fediverse.mastodon.helm_release(
           namespace='cnpg-system', repository='https://cloudnative-pg.github.io/charts', version='0.29.0') }}
"""

RETURN = r"""
_value:
  description: The three objects, in the order in which they are needed.
  type: list
  elements: dict
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def helm_release(
    name: str,
    *,
    namespace: str,
    repository: str,
    version: str,
    chart: str = "",
    values: Mapping[str, Any] | None = None,
    timeout: str = "10m",
    annotations: Mapping[str, str] | None = None,
    crds: str = "CreateReplace",
    patches: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return the Namespace, HelmRepository and HelmRelease of one chart."""
    noted = {"annotations": dict(annotations)} if annotations else {}
    spec = {
        **_release_spec(name, chart or name, str(version), timeout, crds),
        **({"postRenderers": _post_renderers(patches)} if patches else {}),
        **({"values": dict(values)} if values else {}),
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        _repository(name, namespace, repository),
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": namespace, **noted},
            "spec": spec,
        },
    ]


def _repository(name: str, namespace: str, url: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"interval": "1h", "url": url}
    if url.startswith("oci://"):
        spec["type"] = "oci"
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmRepository",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def _release_spec(name: str, chart: str, version: str, timeout: str, crds: str) -> dict[str, Any]:
    # The default strategy uninstalls or rolls back on failure; after a database migration that loses data:
    # https://fluxcd.io/flux/components/helm/helmreleases/#configuring-failure-handling
    step = {"crds": crds, "strategy": {"name": "RetryOnFailure", "retryInterval": "1m"}}
    return {
        "interval": "30m",
        "timeout": timeout,
        "releaseName": name,
        "chart": {"spec": {"chart": chart, "version": version, "sourceRef": {"kind": "HelmRepository", "name": name}}},
        "install": step,
        "upgrade": step,
        "driftDetection": {"mode": "enabled"},
    }


def _post_renderers(patches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # Kustomize wants them as texts, and reads JSON too.
    return [{"kustomize": {"patches": [{**one, "patch": json.dumps(one["patch"], sort_keys=True)} for one in patches]}}]


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., list[dict[str, Any]]]]:
        """Return the filters by name."""
        return {"helm_release": helm_release}
