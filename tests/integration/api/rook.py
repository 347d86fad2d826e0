# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rook as one of its releases publishes it, without its operator: its chart, and the kinds that the chart brings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.fediverse.mastodon.tests.integration.api.kinds import CRD, Kinds, read
from mastodon_lab.build import tools
from mastodon_lab.build.components import HELM
from mastodon_lab.build.golang import Go
from mastodon_lab.build.mirror import rook_chart, rook_module
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE

GROUPS = ("ceph.rook.io", "objectbucket.io")


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
            module = rook_module(go, version)
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
        return read(made)

    def kinds(self) -> Kinds:
        """Return the kinds of the chart."""
        crds = [item for item in self.rendered({}, "rook-ceph") if item["kind"] == CRD]
        return Kinds(self.version, [crd for crd in crds if crd["spec"]["group"] in GROUPS])
