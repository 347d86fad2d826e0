# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab serves in place of upstream's chart repositories and release pages."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build import charts, image, stand_ins
from mastodon_lab.build.charts import Chart
from mastodon_lab.build.components import ROOK_MODULE
from mastodon_lab.build.golang import ROOK_MODULES, Go
from mastodon_lab.build.store import Store, discard, key, tree_key
from mastodon_lab.errors import LabError

# The folder of the mirror that is an OCI layout of all images.
IMAGES = "images"
STAND_INS = Path(__file__).parents[2] / "stand_ins"
MASTODON_CHART = STAND_INS / "mastodon/chart"
MASTODON_APP = STAND_INS / "mastodon/app"

_CRD_ANNOTATIONS = """\
    {{- with .Values.crds.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
"""
_MANIFEST_AS_CHART = """\
apiVersion: v2
name: {name}
description: >-
  A release manifest of CloudNativePG's as a chart, by the lab of fediverse.mastodon. It takes no values: upstream's charts
  can't be had where there are only package registries.
type: application
version: "{version}"
appVersion: "{app_version}"
"""
# Upstream's charts refuse values that they don't have, and this one has none.
_NO_VALUES = b'{"type": "object", "properties": {"global": {}}, "additionalProperties": false}'


def make(store: Store, go: Go, kubectl: Path) -> Path:
    """The mirror's folder, made unless it is there."""
    pins = (
        versions.CERT_MANAGER,
        versions.EXTERNAL_SECRETS,
        versions.CLOUDNATIVE_PG,
        versions.CLOUDNATIVE_PG_CHART,
        versions.BARMAN_CLOUD,
        versions.BARMAN_CLOUD_CHART,
        versions.VOLSYNC,
        versions.SNAPSHOTTER,
        versions.FLUX_OPERATOR,
        versions.EXTERNAL_DNS,
        versions.EXTERNAL_DNS_CHART,
        versions.EXTERNAL_DNS_CHART_MODULE,
        versions.MASTODON_CHART,
        versions.DRAGONFLY_OPERATOR,
        versions.ROOK,
    )
    made_from = key(tree_key(MASTODON_CHART, stand_ins.DRAGONFLY_CHART, Path(__file__).parent), *pins)
    return store.make("mirror", made_from, lambda into: _fill(into, go, kubectl))


def empty(store: Store) -> Path:
    """What stands for the mirror's folder in a lab that site.yml is not run on."""
    return store.make("no-mirror", key(), lambda _into: None)


def publish(made: Path, layouts: Iterable[Path], served: Path) -> None:
    """Let `served`, the folder that a lab's mirror serves, hold `made` and the images of these layouts.

    Everything in it is a hard link, or a copy on another disk, so that it stays whole when the cache moves on.
    """
    fresh, old = served.with_suffix(".new"), served.with_suffix(".old")
    discard(fresh)
    shutil.copytree(made, fresh, copy_function=_link)
    images = fresh / IMAGES
    images.mkdir()
    manifests = []
    for layout in layouts:
        manifests += image.read_index(layout)
        shutil.copytree(layout / "blobs", images / "blobs", copy_function=_link, dirs_exist_ok=True)
    image.write_index(images, manifests)
    discard(old)
    if served.exists():
        served.rename(old)
    fresh.rename(served)
    discard(old)


def add(layout: Path, served: Path) -> None:
    """Serve the images of one more layout, which no lab has by itself."""
    images = served / IMAGES
    there = image.read_index(images)
    shutil.copytree(layout / "blobs", images / "blobs", copy_function=_link, dirs_exist_ok=True)
    image.write_index(images, [*there, *(entry for entry in image.read_index(layout) if entry not in there)])


def _link(source: str, target: str) -> None:
    """Link a file that never changes; layers of several images are the same file."""
    if Path(target).exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _fill(into: Path, go: Go, kubectl: Path) -> None:
    repositories: dict[str, Callable[[], tuple[Chart, ...]]] = {
        "jetstack": lambda: (_cert_manager(go),),
        "external-secrets": lambda: (_external_secrets(go),),
        "cloudnative-pg": lambda: (_cloudnative_pg(go), _barman_cloud(go)),
        "external-dns": lambda: (_external_dns(go),),
        "mastodon": lambda: (_mastodon(),),
        "dragonfly": lambda: (stand_ins.dragonfly_chart(),),
        "rook": lambda: (rook_chart(go, versions.ROOK),),
        "volsync": lambda: (_volsync(go),),
    }
    for repository, made in repositories.items():
        charts.write_repository(into / "charts" / repository, *made())
    manifest = into / "manifests/flux-operator.yaml"
    manifest.parent.mkdir()
    manifest.write_bytes(_flux_operator(go, kubectl))
    manifest.with_name("volume-snapshots.yaml").write_text(_volume_snapshots(go))


def _cert_manager(go: Go) -> Chart:
    folder = go.module("github.com/cert-manager/cert-manager", versions.CERT_MANAGER) / "deploy/charts/cert-manager"
    return charts.from_folder(folder, "cert-manager", versions.CERT_MANAGER, versions.CERT_MANAGER)


def _external_secrets(go: Go) -> Chart:
    folder = go.module("github.com/external-secrets/external-secrets", versions.EXTERNAL_SECRETS) / "deploy"
    name = "external-secrets"
    version = versions.EXTERNAL_SECRETS
    chart = charts.from_folder(folder / "charts" / name, name, version.removeprefix("v"), version)
    crds = {
        f"templates/crds/{_crd_name(crd)}.yaml": _templated(crd).encode()
        for crd in (folder / "crds/bundle.yaml").read_text().split("\n---\n")
    }
    return Chart(chart.name, chart.version, chart.app_version, {**chart.files, **crds})


def _crd_name(crd: str) -> str:
    name = re.search(r"(?m)^  name: (\S+)$", crd)
    if name is None:
        raise LabError("Chart external-secrets: a CRD in its bundle has no name. Report this to the lab's authors.")
    return name[1]


def _templated(crd: str) -> str:
    """A CRD as upstream's release has it: on the value `installCRDs`, with the annotations of `crds.annotations`."""
    crd = crd.replace("  annotations:\n", f"  annotations:\n{_CRD_ANNOTATIONS}", 1)
    return f"{{{{- if .Values.installCRDs }}}}\n{crd}\n{{{{- end }}}}\n"


def _cloudnative_pg(go: Go) -> Chart:
    version = versions.CLOUDNATIVE_PG.removeprefix("v")
    folder = go.module("github.com/cloudnative-pg/cloudnative-pg", versions.CLOUDNATIVE_PG)
    objects = (folder / f"releases/cnpg-{version}.yaml").read_text()
    return _manifest_as_chart("cloudnative-pg", versions.CLOUDNATIVE_PG_CHART, version, objects)


def _barman_cloud(go: Go) -> Chart:
    version = versions.BARMAN_CLOUD
    manifest = (go.module("github.com/cloudnative-pg/plugin-barman-cloud", version) / "manifest.yaml").read_text()
    # The one in the module asks for images of the day.
    plugin = "ghcr.io/cloudnative-pg/plugin-barman-cloud"
    sidecar = base64.b64encode(f"{plugin}-sidecar:{version}".encode()).decode()
    objects = manifest.replace(f"{plugin}-testing:main", f"{plugin}:{version}")
    objects = re.sub(r"SIDECAR_IMAGE: \|\n(?:    \S+\n)+", f"SIDECAR_IMAGE: {sidecar}\n", objects)
    return _manifest_as_chart("plugin-barman-cloud", versions.BARMAN_CLOUD_CHART, version, objects)


def _manifest_as_chart(name: str, version: str, app_version: str, objects: str) -> Chart:
    # Helm makes the namespace.
    objects = "\n---\n".join(part for part in objects.split("\n---\n") if not re.search(r"(?m)^kind: Namespace$", part))
    objects = objects.replace("namespace: cnpg-system", "namespace: {{ .Release.Namespace }}")
    metadata = _MANIFEST_AS_CHART.format(name=name, version=version, app_version=app_version)
    files = {
        "Chart.yaml": metadata.encode(),
        "templates/objects.yaml": objects.encode(),
        "values.schema.json": _NO_VALUES,
    }
    return Chart(name, version, app_version, files)


def _volsync(go: Go) -> Chart:
    version = versions.VOLSYNC.removeprefix("v")
    folder = go.module("github.com/backube/volsync", versions.VOLSYNC) / "helm/volsync"
    return charts.from_folder(folder, "volsync", version, version)


def _external_dns(go: Go) -> Chart:
    folder = go.module("sigs.k8s.io/external-dns", versions.EXTERNAL_DNS_CHART_MODULE) / "charts/external-dns"
    version = versions.EXTERNAL_DNS.removeprefix("v")
    return charts.from_folder(folder, "external-dns", versions.EXTERNAL_DNS_CHART, version)


def rook_module(go: Go, version: str) -> Path:
    """Rook's module. Go's database of checksums lacks the version that the lab has, which go_rook pins."""
    return go.module("github.com/rook/rook", version, ROOK_MODULES / ROOK_MODULE)


def rook_chart(go: Go, version: str) -> Chart:
    """Upstream's chart without that of the CSI operator, which is nowhere here and which buckets have no use for."""
    folder = rook_module(go, version) / "deploy/charts"
    chart, library = (charts.from_folder(folder / name, name, version, version) for name in ("rook-ceph", "library"))
    shared = {f"charts/library/{path}": content for path, content in library.files.items()}
    return Chart(chart.name, chart.version, chart.app_version, {**chart.files, **shared})


def _mastodon() -> Chart:
    return charts.from_folder(MASTODON_CHART, "mastodon", versions.MASTODON_CHART, versions.MASTODON)


def _volume_snapshots(go: Go) -> str:
    """The kinds that a cluster's CSI driver would bring."""
    module = go.module("github.com/kubernetes-csi/external-snapshotter/client/v8", versions.SNAPSHOTTER)
    return "---\n".join(file.read_text() for file in sorted((module / "config/crd").glob("snapshot.*.yaml")))


def _flux_operator(go: Go, kubectl: Path) -> bytes:
    folder = go.module("github.com/controlplaneio-fluxcd/flux-operator", versions.FLUX_OPERATOR) / "config/default"
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, check=False)
    if done.returncode:
        raise LabError(f"Flux Operator's manifest: {done.stderr.decode().strip()}. Delete {folder} and run this again.")
    return done.stdout
