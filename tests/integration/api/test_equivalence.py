# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the listing proves unchanged, a dry run leaves unchanged: on many objects, each as several hands leave it."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diff import comparable
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.fields import is_unchanged, our_fields
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import MANAGER
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

QUANTITIES = ("100m", "0.1", "1", "1000m", "1Gi", "1024Mi")
SEEDS = range(40)


class Maker:
    """Makes objects at random, the same for the same seed, with what comparing is known to stumble over."""

    def __init__(self, seed: int, namespace: str) -> None:
        self._random = random.Random(seed)
        self._namespace = namespace

    def object(self) -> Object:
        """Return one object, of a built-in kind or free-form."""
        return self._random.choice([self._pod_template, self._service, self._config_map, self._network_policy])()

    def maybe(self, **fields: Any) -> dict[str, Any]:
        """Return some of these fields."""
        return {name: value for name, value in fields.items() if self._random.random() < 0.6}

    def _named(self, version: str, kind: str, **fields: Any) -> Object:
        labels = {"app": "x", **self.maybe(a="1", b="")}
        notes = self.maybe(note="text", empty="")
        metadata = {"name": "x", "namespace": self._namespace, **self.maybe(labels=labels, annotations=notes)}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}

    def _pod_template(self) -> Object:
        ports = [{"containerPort": 80}, {"containerPort": 81, "protocol": "UDP"}, {"containerPort": 82, "name": "web"}]
        quantity = self._random.choice(QUANTITIES)
        container = {
            "name": "main",
            "image": "example.test/a:1",
            **self.maybe(
                ports=ports[: self._random.randint(0, 3)],
                args=["--a", "--b"],
                env=[{"name": "A", "value": ""}, {"name": "B", "value": "1"}],
                resources={**self.maybe(requests={"memory": "64Mi"}, limits={"cpu": quantity, "memory": "4Gi"})},
                securityContext=self.maybe(runAsNonRoot=True, capabilities={"drop": ["ALL"]}, privileged=False),
                stdin=False,
            ),
        }
        pod = {
            "containers": [container, *([{"name": "side", "image": "b"}] if self._random.random() < 0.5 else [])],
            **self.maybe(
                volumes=[{"name": "tmp", "emptyDir": {}}],
                hostNetwork=False,
                tolerations=[{"operator": "Exists"}],
                terminationGracePeriodSeconds=self._random.choice([0, 30]),
            ),
        }
        # All of a Deployment that is hard to compare, without a controller that writes to it meanwhile.
        template = {"metadata": self.maybe(labels={"app": "x"}), "spec": pod}
        return self._named("v1", "PodTemplate", template=template)

    def _service(self) -> Object:
        ports = [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}, {"name": "c", "port": 81}]
        chosen = self._random.sample(ports, self._random.randint(1, 3))
        return self._named(
            "v1", "Service", spec={"ports": chosen, **self.maybe(selector={"app": "x"}, type="ClusterIP")}
        )

    def _config_map(self) -> Object:
        return self._named("v1", "ConfigMap", **self.maybe(data=self.maybe(a="1", b="", c="x\ny\n"), immutable=False))

    def _network_policy(self) -> Object:
        rule = self.maybe(ports=[{"port": 80, "protocol": "TCP"}, {"port": "web"}])
        spec = {
            "podSelector": self.maybe(matchLabels={"app": "x"}),
            **self.maybe(ingress=[rule], policyTypes=["Ingress"]),
        }
        return self._named("networking.k8s.io/v1", "NetworkPolicy", spec=spec)

    def edited(self, item: Object) -> Object:
        """Return an object of the same kind with some fields otherwise, as somebody else may apply it."""
        other = copy.deepcopy(item)
        other["metadata"]["labels"] = self.maybe(app="y", a="1", z="z")
        other["metadata"]["annotations"] = self.maybe(note="other", empty="", more="x")
        return other

    def redeclared(self, item: Object) -> Object:
        """Return the object as its author may declare it next: the same, or with fields dropped."""
        other = copy.deepcopy(item)
        for section in (other, other["metadata"], other.get("spec", {})):
            for name in sorted(section.keys() & {"labels", "annotations", "data", "type", "selector", "immutable"}):
                if self._random.random() < 0.3:
                    del section[name]
        return other


def agrees(api: Objects, resource: Resource, body: Object, live: Object) -> bool:
    """Whether the proof, if there is one, is what a dry run finds."""
    tried = api.apply(resource, body, manager=MANAGER, force=True, dry_run=True)
    same = comparable(tried) == comparable(live) and our_fields(tried) == our_fields(live)
    return same or not is_unchanged(body, live)


@pytest.mark.parametrize("seed", SEEDS)
def test_proven_unchanged_is_unchanged(cluster: Cluster, seed: int) -> None:
    maker = Maker(seed, cluster.namespace)
    api = Objects(cluster.client)
    declared = maker.object()
    group, _unused, version = declared["apiVersion"].rpartition("/")
    resource = api.discover().find(group, version, declared["kind"])
    assert resource is not None
    next_time = maker.redeclared(declared)
    live = api.apply(resource, declared, manager=MANAGER, force=False, dry_run=False)
    assert agrees(api, resource, declared, live)
    assert agrees(api, resource, next_time, live)
    live = api.apply(resource, maker.edited(declared), manager="other", force=True, dry_run=False)
    assert agrees(api, resource, declared, live)
    assert agrees(api, resource, next_time, live)


def test_most_objects_are_proven_without_a_dry_run(cluster: Cluster) -> None:
    api = Objects(cluster.client)
    catalog = api.discover()
    proven = 0
    for seed in SEEDS:
        declared = Maker(seed, cluster.namespace).object()
        declared["metadata"]["name"] = f"x{seed}"
        group, _unused, version = declared["apiVersion"].rpartition("/")
        resource = catalog.find(group, version, declared["kind"])
        assert resource is not None
        live = api.apply(resource, declared, manager=MANAGER, force=False, dry_run=False)
        proven += is_unchanged(declared, live)
    assert proven >= len(SEEDS) * 0.8
