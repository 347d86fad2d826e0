# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the kinds are published that the pinned operators bring: in their Go modules, or else in a file that you may have."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.kinds import CRD, Kinds, read
from mastodon_lab import versions
from mastodon_lab.build import tools
from mastodon_lab.build.components import HELM
from mastodon_lab.build.golang import Go
from mastodon_lab.build.stand_ins import DRAGONFLY_CHART
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE
from mastodon_lab.pins import PINNED

BRINGS = {row.name: row.brings for row in PINNED}
FLUX_OPERATOR = "github.com/controlplaneio-fluxcd/flux-operator"
EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets"
# The newest whose module, without those beside it that it is built from, the Go proxy serves.
NEAREST_EXTERNAL_SECRETS = "v1.3.2"
# A folder with what no registry serves, as `external-secrets-2.9.0.yaml`: deploy/crds/bundle.yaml of that release, and
# `dragonfly-operator-1.6.1.yaml`: its config/crd/bases.
FOLDER = "TEST_UPSTREAM_CRDS"


@dataclass(frozen=True)
class Module:
    """Files of a Go module."""

    name: str
    version: str
    files: str

    def texts(self, log: Path) -> list[str]:
        """Return what is in the files; fetch them by the lab's Go."""
        store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
        go = Go(tools.install(store, log).go, store, log)
        return [path.read_text() for path in sorted(go.module(self.name, self.version).glob(self.files))]


@dataclass(frozen=True)
class Given:
    """A file in the folder that the variable names."""

    file: str

    def texts(self, log: Path) -> list[str]:
        """Return what is in the file, or skip the test."""
        path = Path(os.environ.get(FOLDER, os.devnull)) / self.file
        if not path.is_file():
            pytest.skip(f"no registry serves {self.file}, and {FOLDER} names no folder that has it")
        return [path.read_text()]


def _given(name: str, file: str) -> Given:
    return Given(f"{file}-{BRINGS[name].removeprefix('v')}.yaml")


# Who publishes them → where, and the groups that they are of. Rook's are judged in test_rook.py.
PUBLISHED: Mapping[str, tuple[Module | Given, tuple[str, ...]]] = {
    "barman-cloud": (
        Module(
            "github.com/cloudnative-pg/plugin-barman-cloud", BRINGS["Barman Cloud plugin"], "config/crd/bases/*.yaml"
        ),
        ("barmancloud.cnpg.io",),
    ),
    "cert-manager": (
        Module("github.com/cert-manager/cert-manager", BRINGS["cert-manager"], "deploy/crds/*.yaml"),
        ("cert-manager.io",),
    ),
    "cloudnative-pg": (
        Module("github.com/cloudnative-pg/cloudnative-pg", BRINGS["CloudNativePG"], "config/crd/bases/*.yaml"),
        ("postgresql.cnpg.io",),
    ),
    "dragonfly": (_given("Dragonfly operator", "dragonfly-operator"), ("dragonflydb.io",)),
    "external-secrets": (_given("External Secrets", "external-secrets"), ("external-secrets.io",)),
    "external-secrets-nearest": (
        Module(EXTERNAL_SECRETS, NEAREST_EXTERNAL_SECRETS, "deploy/crds/bundle.yaml"),
        ("external-secrets.io",),
    ),
    "flux": (
        Module(FLUX_OPERATOR, BRINGS["Flux Operator"], f"config/data/flux/v{BRINGS['Flux']}/*.yaml"),
        ("helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"),
    ),
    "flux-operator": (
        Module(FLUX_OPERATOR, BRINGS["Flux Operator"], "config/crd/bases/*.yaml"),
        ("fluxcd.controlplane.io",),
    ),
    "gateway-api": (
        Module("sigs.k8s.io/gateway-api", versions.GATEWAY_API, "config/crd/standard/*.yaml"),
        ("gateway.networking.k8s.io",),
    ),
    "volsync": (
        Module("github.com/backube/volsync", BRINGS["VolSync"], "config/crd/bases/*.yaml"),
        ("volsync.backube",),
    ),
}


def stand_in_for_dragonfly(log: Path) -> dict[str, Any]:
    """Return the kind that the lab's stand-in brings."""
    store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
    with store.locked(print):
        helm = Go(tools.install(store, log).go, store, log).build(HELM)["helm"]
    command = [helm, "template", "dragonfly", DRAGONFLY_CHART, "--show-only=templates/crd.yaml"]
    (found,) = read(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)
    return found


def kinds(name: str, wanted: Set[tuple[str, str]], log: Path) -> Kinds:
    """Return those of the wanted kinds that this one publishes, by group and kind."""
    where, groups = PUBLISHED[name]
    found = [item for text in where.texts(log) for item in read(text) if item["kind"] == CRD]
    named = {(crd["spec"]["group"], crd["spec"]["names"]["kind"]): crd for crd in found}
    return Kinds(name, [named[one] for one in sorted(wanted) if one[0] in groups])


def unknown(values: Mapping[str, Any], known: Any, path: str = "") -> Iterator[str]:
    """Yield every value that a chart has not."""
    for key, value in values.items():
        if not isinstance(known, Mapping) or key not in known:
            yield f"{path}{key}"
        elif isinstance(value, Mapping) and known[key]:
            yield from unknown(value, known[key], f"{path}{key}.")
