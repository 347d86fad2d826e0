# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rook as one of its releases publishes it, without its operator: its chart, and the kinds that the chart brings to a real API server.

The kinds are in groups of the test's own, so that releases stand beside each other and beside the Rook of the cluster.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import delete
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from mastodon_lab.build import tools
from mastodon_lab.build.components import HELM
from mastodon_lab.build.golang import Go
from mastodon_lab.build.mirror import rook_chart
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE

GROUPS = ("ceph.rook.io", "objectbucket.io")
CRD = "CustomResourceDefinition"


@dataclass(frozen=True)
class Release:
    """One release of Rook: its chart with the program that renders it, and upstream's example of a cluster."""

    version: str
    helm: Path
    chart: Path
    example: Path

    @classmethod
    def fetched(cls, version: str, into: Path) -> Release:
        """Fetch it by the lab's Go."""
        store, log = Store(Path(os.environ.get("LAB_CACHE") or CACHE)), into / "go.log"
        with store.locked(print):
            go = Go(tools.install(store, log).go, store, log)
            helm = go.build(HELM)["helm"]
            module = go.module("github.com/rook/rook", version)
            chart = rook_chart(go, version)
        for path, content in chart.files.items():
            (into / "chart" / path).parent.mkdir(parents=True, exist_ok=True)
            (into / "chart" / path).write_bytes(content)
        return cls(version, helm, into / "chart", module / "deploy/examples/cluster.yaml")

    @cached_property
    def default_values(self) -> dict[str, Any]:
        """Every value that the chart has."""
        found: dict[str, Any] = yaml.safe_load((self.chart / "values.yaml").read_text())
        return found

    @property
    def ceph(self) -> str:
        """The image of Ceph in upstream's example of a cluster."""
        return str(yaml.safe_load(self.example.read_text())["spec"]["cephVersion"]["image"])

    def rendered(self, values: Mapping[str, Any], namespace: str) -> list[dict[str, Any]]:
        """Return all that the chart makes of Helm values."""
        command = [self.helm, "template", "rook-ceph", self.chart, f"--namespace={namespace}", "--values=-"]
        given = yaml.safe_dump(values)
        made = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=300).stdout
        return [item for item in yaml.load_all(made, yaml.CSafeLoader) if item]

    def renamed(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as it is called in the test's groups."""
        group, _slash, version = item["apiVersion"].partition("/")
        return {**item, "apiVersion": f"{self._group(group)}/{version}" if group in GROUPS else item["apiVersion"]}

    def kinds(self) -> list[dict[str, Any]]:
        """Return the kinds of the chart in the test's groups."""
        crds = [item for item in self.rendered({}, "rook-ceph") if item["kind"] == CRD]
        return [self._moved(crd) for crd in crds if crd["spec"]["group"] in GROUPS]

    def _moved(self, crd: dict[str, Any]) -> dict[str, Any]:
        group = self._group(crd["spec"]["group"])
        # Short names are one for all groups.
        names = {key: value for key, value in crd["spec"]["names"].items() if key != "shortNames"}
        return {
            **crd,
            "metadata": {"name": f"{names['plural']}.{group}"},
            "spec": {**crd["spec"], "group": group, "names": names},
        }

    def _group(self, group: str) -> str:
        return f"{self.version}.{group}.test"


@dataclass(frozen=True)
class Judge:
    """An API server that knows the kinds of a release."""

    release: Release
    cluster: Cluster
    kubectl: str
    cache: Path

    def install(self) -> None:
        """Install the kinds."""
        done = self.cluster.apply(*self.release.kinds(), name=self.release.version, wait=True).result
        assert "msg" not in done, done

    def uninstall(self) -> None:
        """Take them away."""
        self.cluster.run(delete.TASK, name=self.release.version, namespace=self.cluster.namespace)

    def refusal(self, objects: Iterable[Mapping[str, Any]]) -> str:
        """Return what the API server says against these objects, where an unknown field is an error; an empty text when nothing."""
        given = yaml.safe_dump_all([self.release.renamed(item) for item in objects])
        strict = ("--server-side", "--dry-run=server", "--validate=strict", f"--cache-dir={self.cache}", "-f=-")
        command = [self.kubectl, f"--kubeconfig={self.cluster.kubeconfig}", "apply", *strict]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=300)
        return "" if done.returncode == 0 else done.stderr
