# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds as a release of an operator publishes them, without the operator, on a real API server that judges objects by them.

The kinds are in groups of the test's own, so that releases stand beside each other and beside the operators of the cluster.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import delete
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

CRD = "CustomResourceDefinition"


def read(text: str) -> list[dict[str, Any]]:
    """Return the objects of a manifest."""
    return [item for item in yaml.load_all(text, yaml.CSafeLoader) if item]


@dataclass(frozen=True)
class Kinds:
    """The kinds of one release; `name` is how the test calls that."""

    name: str
    crds: Sequence[Mapping[str, Any]]

    @cached_property
    def scopes(self) -> Mapping[tuple[str, str], str]:
        """`Namespaced` or `Cluster`, by group and kind."""
        return {(crd["spec"]["group"], crd["spec"]["names"]["kind"]): crd["spec"]["scope"] for crd in self.crds}

    def renamed(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as it is called in the test's groups."""
        group, _slash, version = item["apiVersion"].partition("/")
        known = any(group == one for one, _kind in self.scopes)
        return {**item, "apiVersion": f"{self._group(group)}/{version}" if known else item["apiVersion"]}

    def moved(self) -> list[dict[str, Any]]:
        """Return the kinds in the test's groups."""
        return [self._moved(crd) for crd in self.crds]

    def _moved(self, crd: Mapping[str, Any]) -> dict[str, Any]:
        group = self._group(crd["spec"]["group"])
        # Short names and categories are one for all groups, and nobody is there to convert.
        names = {key: value for key, value in crd["spec"]["names"].items() if key not in ("shortNames", "categories")}
        spec = {key: value for key, value in crd["spec"].items() if key != "conversion"}
        return {
            "apiVersion": crd["apiVersion"],
            "kind": CRD,
            "metadata": {"name": f"{names['plural']}.{group}"},
            "spec": {**spec, "group": group, "names": names},
        }

    def _group(self, group: str) -> str:
        return f"{self.name}.{group}.test"


@dataclass(frozen=True)
class Judge:
    """An API server that knows the kinds of a release."""

    kinds: Kinds
    cluster: Cluster
    kubectl: str
    cache: Path

    @classmethod
    @contextmanager
    def of(cls, kinds: Kinds, kubeconfig: str, kubectl: str, cache: Path) -> Iterator[Judge]:
        """Install the kinds, and take them away at the end."""
        cluster = Cluster(kubeconfig, "default", Client(connect({"kubeconfig": kubeconfig}, os.environ)))
        done = cluster.apply(*kinds.moved(), name=kinds.name, wait=True).result
        assert "msg" not in done, done
        yield cls(kinds, cluster, kubectl, cache)
        cluster.run(delete.TASK, name=kinds.name, namespace=cluster.namespace)

    def refusal(self, objects: Iterable[Mapping[str, Any]]) -> str:
        """Return what the API server says against these objects, where an unknown field is an error; an empty text when nothing."""
        given = yaml.safe_dump_all([self.kinds.renamed(item) for item in objects])
        strict = ("--server-side", "--dry-run=server", "--validate=strict", f"--cache-dir={self.cache}", "-f=-")
        command = [self.kubectl, f"--kubeconfig={self.cluster.kubeconfig}", "apply", *strict]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=300)
        return "" if done.returncode == 0 else done.stderr
