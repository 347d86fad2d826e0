# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real external-dns, started for one round with the flags and variables that its real chart makes of Helm values.

The lab's own has the providers that need no SDK; this one is built of the same modules, with those of AWS and Cloudflare, whose versions and
checksums are upstream's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mastodon_lab import versions
from mastodon_lab.build import tools
from mastodon_lab.build.components import EXTERNAL_DNS, HELM, PATCHES
from mastodon_lab.build.golang import MODULES, Go
from mastodon_lab.build.store import Store, key, tree_key
from mastodon_lab.cli import CACHE

SOURCE = Path(__file__).parent / "external_dns_with_sdks"
NAME = "external-dns-with-sdks"
REPLACED = "src/external-dns/provider/factory/provider.go"


@dataclass(frozen=True)
class ExternalDns:
    """A folder with the program, its chart, and what renders that."""

    folder: Path

    @classmethod
    def built(cls, log: Path) -> ExternalDns:
        """Build it unless it is there."""
        store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
        made_from = key(tree_key(SOURCE, MODULES), repr(PATCHES), versions.EXTERNAL_DNS_CHART_MODULE)
        folder = store.path(NAME, made_from)
        if not folder.is_dir():
            with store.locked(print):
                go = Go(tools.install(store, log).go, store, log)
                store.make(NAME, made_from, lambda into: _build(go, into))
        return cls(folder)

    def run_once(
        self, values: Mapping[str, Any], secret: Mapping[str, str], kubeconfig: str, **environment: str
    ) -> str:
        """Run one round with these Helm values, and the Secret that they name, and return the log."""
        container = self._container(values)
        variables = {one["name"]: _value(one, secret) for one in container.get("env", [])}
        # Whatever the chart says of its pod's neighbours, such as the port of its metrics, is for a pod.
        flags = [flag for flag in container["args"] if flag != "--events"]
        ours = ["--once", f"--kubeconfig={kubeconfig}", "--metrics-address=127.0.0.1:0", "--request-timeout=20s"]
        done = subprocess.run(
            [self.folder / "external-dns", *flags, *ours],
            env={"PATH": os.environ["PATH"], **variables, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{done.stdout}\nended with {done.returncode}"

    def _container(self, values: Mapping[str, Any]) -> dict[str, Any]:
        only = "--show-only=templates/deployment.yaml"
        command = [self.folder / "helm", "template", "external-dns", self.folder / "chart", "--values=-", only]
        given = yaml.safe_dump(values)
        rendered = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=300).stdout
        container: dict[str, Any] = yaml.safe_load(rendered)["spec"]["template"]["spec"]["containers"][0]
        return container


def _build(go: Go, into: Path) -> None:
    workspace = go.workspace()
    overlay = into / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(workspace / REPLACED): str(SOURCE / "provider.go")}}))
    module = workspace / EXTERNAL_DNS.module
    shutil.copy(module / "go.mod", into)
    sums = [folder / "go.sum" for folder in (module, workspace / "src/external-dns")]
    (into / "go.sum").write_text("".join(path.read_text() for path in sums))
    (package,) = EXTERNAL_DNS.binaries.values()
    added = ("-overlay", overlay, "-mod=mod", "-modfile", into / "go.mod")
    flags = ("-trimpath", "-buildvcs=false", "-ldflags", "-s -w", *added, "-o", into / "external-dns")
    go.run("Building external-dns with AWS and Cloudflare", "build", *flags, package, cwd=module)
    shutil.copy(go.build(HELM)["helm"], into / "helm")
    published = go.module("sigs.k8s.io/external-dns", versions.EXTERNAL_DNS_CHART_MODULE)
    shutil.copytree(published / "charts/external-dns", into / "chart", copy_function=shutil.copyfile)


def _value(variable: Mapping[str, Any], secret: Mapping[str, str]) -> str:
    return str(variable["value"]) if "value" in variable else secret[variable["valueFrom"]["secretKeyRef"]["key"]]
