# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import errno
import gzip
import io
import json
import os
import re
import tarfile
from pathlib import Path

import pytest
from mastodon_lab import versions
from mastodon_lab.build import golang, mirror
from mastodon_lab.build.components import CLUSTER
from mastodon_lab.build.golang import Go
from mastodon_lab.build.image import NAME_ANNOTATION, File, Run, read_index, write_layer, write_layout
from mastodon_lab.build.store import Store, discard
from mastodon_lab.errors import LabError

from .conftest import Program

ROOT = Path(__file__).parents[4]
CHART = "name: thing\nversion: v0.0.0\nappVersion: v0.0.0\n"
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations:
    controller-gen.kubebuilder.io/version: v0.19.0
  name: {name}.external-secrets.io
"""
OPERATOR = """\
kind: Namespace
metadata:
  name: cnpg-system
---
kind: Deployment
metadata:
  namespace: cnpg-system
spec:
  imagePullPolicy: Always
"""
PLUGIN = """\
kind: Secret
data:
  SIDECAR_IMAGE: |
    Z2hjci5pby9jbG91ZG5hdGl2ZS1wZy9wbHVnaW4tYmFybWFuLWNsb3VkLXNpZGVjYXItdG
    VzdGluZzptYWlu
metadata:
  namespace: cnpg-system
---
kind: Deployment
image: ghcr.io/cloudnative-pg/plugin-barman-cloud-testing:main
"""
SNAPSHOTS = "kubernetes-csi/external-snapshotter/client/v8/config/crd"
MODULES = {
    f"{SNAPSHOTS}/snapshot.storage.k8s.io_volumesnapshots.yaml": "kind: CustomResourceDefinition\n",
    f"{SNAPSHOTS}/groupsnapshot.storage.k8s.io_volumegroupsnapshots.yaml": "not asked for",
    "backube/volsync/helm/volsync/Chart.yaml": CHART,
    "cloudnative-pg/plugin-barman-cloud/manifest.yaml": PLUGIN,
    "cert-manager/cert-manager/deploy/charts/cert-manager/Chart.yaml": CHART,
    "external-secrets/external-secrets/deploy/charts/external-secrets/Chart.yaml": CHART,
    "sigs.k8s.io/external-dns/charts/external-dns/Chart.yaml": CHART,
    "rook/rook/deploy/charts/rook-ceph/Chart.yaml": f"{CHART}dependencies:\n  - name: library\n",
    "rook/rook/deploy/charts/rook-ceph/templates/resources.yaml": "kind: CustomResourceDefinition\n",
    "rook/rook/deploy/charts/library/Chart.yaml": "name: library\nversion: 0.0.1\n",
    "external-secrets/external-secrets/deploy/crds/bundle.yaml": "---\n".join(
        CRD.format(name=name) for name in ("stores", "secrets")
    ),
    f"cloudnative-pg/cloudnative-pg/releases/cnpg-{versions.CLOUDNATIVE_PG.removeprefix('v')}.yaml": OPERATOR,
}


class Modules(Go):
    """Modules that are in a folder already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, module: str, version: str, pins: Path = golang.MODULES / CLUSTER) -> Path:
        assert version.startswith("v")
        assert (pins / "go.sum").is_file()
        return self.folder / module.removeprefix("github.com/")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    stand_in = tmp_path / "chart"
    files = {tmp_path / "modules" / name: content for name, content in MODULES.items()} | {
        stand_in / "Chart.yaml": CHART
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(mirror, "MASTODON_CHART", stand_in)
    return Modules(tmp_path / "modules")


def unpacked(package: Path) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(package.read_bytes()))) as archive:
        return {name: (archive.extractfile(name) or io.BytesIO()).read().decode() for name in archive.getnames()}


@pytest.fixture
def made(tmp_path: Path, modules: Go, program: Program) -> Path:
    return mirror.make(Store(tmp_path / "cache"), modules, program("kubectl", 'echo "kind: $1 $2"'))


@pytest.mark.parametrize(
    ("repository", "chart", "version"),
    [
        ("jetstack", "cert-manager", "v1.21.2"),
        ("external-secrets", "external-secrets", "0.20.4"),
        ("cloudnative-pg", "cloudnative-pg", "0.29.0"),
        ("cloudnative-pg", "plugin-barman-cloud", "0.7.0"),
        ("volsync", "volsync", "0.16.0"),
        ("external-dns", "external-dns", "1.22.0"),
        ("mastodon", "mastodon", "1.2.2"),
        ("dragonfly", "dragonfly-operator", "v1.6.1"),
        ("rook", "rook-ceph", "v1.16.0"),
    ],
)
def test_each_repository_has_its_chart(made: Path, repository: str, chart: str, version: str) -> None:
    index = json.loads((made / "charts" / repository / "index.yaml").read_text())
    assert [entry["version"] for entry in index["entries"][chart]] == [version]
    files = unpacked(made / "charts" / repository / f"{chart}-{version}.tgz")
    assert f'version: "{version}"' in files[f"{chart}/Chart.yaml"]


def test_every_chart_that_a_role_installs_is_there(made: Path) -> None:
    pins = [path.read_text() for path in ROOT.glob("roles/*/vars/main/versions.yml")]
    wanted = {name for text in pins for name in re.findall(r"datasource=helm depName=(\S+)", text)}
    indexes = [json.loads(path.read_text()) for path in (made / "charts").glob("*/index.yaml")]
    assert len(wanted) >= 7
    assert wanted - {name for index in indexes for name in index["entries"]} == set()


def test_external_secrets_has_crds_as_its_release_has(made: Path) -> None:
    files = unpacked(made / "charts/external-secrets/external-secrets-0.20.4.tgz")
    crd = files["external-secrets/templates/crds/stores.external-secrets.io.yaml"]
    assert crd.startswith("{{- if .Values.installCRDs }}\n")
    assert crd.endswith("{{- end }}\n")
    assert "  annotations:\n    {{- with .Values.crds.annotations }}\n" in crd
    assert "external-secrets/templates/crds/secrets.external-secrets.io.yaml" in files


def test_cloudnative_pg_goes_where_the_release_goes(made: Path) -> None:
    files = unpacked(made / "charts/cloudnative-pg/cloudnative-pg-0.29.0.tgz")
    operator = files["cloudnative-pg/templates/objects.yaml"]
    assert "kind: Namespace" not in operator
    assert "namespace: {{ .Release.Namespace }}" in operator
    assert "imagePullPolicy: Always" in operator
    assert "by the lab" in files["cloudnative-pg/Chart.yaml"]


@pytest.mark.parametrize("package", ["cloudnative-pg-0.29.0", "plugin-barman-cloud-0.7.0"])
def test_a_manifest_in_a_chart_of_ours_takes_no_value(made: Path, package: str) -> None:
    files = unpacked(made / f"charts/cloudnative-pg/{package}.tgz")
    (schema,) = (json.loads(text) for name, text in files.items() if name.endswith("/values.schema.json"))
    assert (schema["additionalProperties"], [*schema["properties"]]) == (False, ["global"])


def test_the_plugin_for_backups_asks_for_the_images_of_its_release(made: Path) -> None:
    files = unpacked(made / "charts/cloudnative-pg/plugin-barman-cloud-0.7.0.tgz")
    objects = files["plugin-barman-cloud/templates/objects.yaml"]
    (sidecar,) = re.findall(r"(?m)^  SIDECAR_IMAGE: (\S+)$", objects)
    image = "ghcr.io/cloudnative-pg/plugin-barman-cloud"
    assert base64.b64decode(sidecar).decode() == f"{image}-sidecar:v0.13.0"
    assert f"image: {image}:v0.13.0\n" in objects
    assert "namespace: {{ .Release.Namespace }}" in objects


def test_rook_has_its_kinds_and_the_library_that_its_templates_use(made: Path) -> None:
    files = unpacked(made / "charts/rook/rook-ceph-v1.16.0.tgz")
    assert files["rook-ceph/templates/resources.yaml"] == "kind: CustomResourceDefinition\n"
    assert files["rook-ceph/charts/library/Chart.yaml"] == 'name: library\nversion: "v1.16.0"\n'
    assert "dependencies" not in files["rook-ceph/Chart.yaml"]


def test_flux_operator_s_manifest_is_rendered(made: Path) -> None:
    assert (made / "manifests/flux-operator.yaml").read_text().startswith("kind: kustomize ")


def test_the_kinds_of_volume_snapshots_are_there_for_who_wants_them(made: Path) -> None:
    assert (made / "manifests/volume-snapshots.yaml").read_text() == "kind: CustomResourceDefinition\n"


def test_a_manifest_that_can_t_be_rendered_is_said(tmp_path: Path, modules: Go, program: Program) -> None:
    with pytest.raises(LabError, match=r"^Flux Operator's manifest: no such folder\. Delete "):
        mirror.make(Store(tmp_path / "cache"), modules, program("kubectl", "echo no such folder >&2; exit 1"))


def layout(folder: Path, reference: str, content: bytes) -> Path:
    folder.mkdir(parents=True)
    write_layer(folder / "layer.tar", {"file": File(content)})
    write_layout(folder / "layout", {reference: Run()}, [folder / "layer.tar"])
    return folder / "layout"


def test_what_is_published_is_exactly_what_was_made(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    (made / "charts").mkdir(parents=True)
    (made / "charts/index.yaml").write_text("entries: {}")
    one, two = (layout(tmp_path / name, f"ghcr.io/some/{name}:v1", name.encode()) for name in ("one", "two"))
    for layouts, names in (
        ([one, two], ["ghcr.io/some/one:v1", "ghcr.io/some/two:v1"]),
        ([two], ["ghcr.io/some/two:v1"]),
    ):
        mirror.publish(made, layouts, served)
        assert (served / "charts/index.yaml").read_text() == "entries: {}"
        index = read_index(served / mirror.IMAGES)
        assert [entry["annotations"][NAME_ANNOTATION] for entry in index] == names
        blobs = {path.name for folder in layouts for path in (folder / "blobs/sha256").iterdir()}
        assert {path.name for path in (served / mirror.IMAGES / "blobs/sha256").iterdir()} == blobs
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "one", "served", "two"]


def test_what_is_published_outlives_the_cache(tmp_path: Path) -> None:
    one = layout(tmp_path / "one", "ghcr.io/some/one:v1", b"one")
    (tmp_path / "made").mkdir()
    mirror.publish(tmp_path / "made", [one], tmp_path / "served")
    discard(tmp_path / "one")
    assert len(list((tmp_path / "served" / mirror.IMAGES / "blobs/sha256").iterdir())) == len(
        ("layer", "config", "manifest")
    )


def test_another_disk_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    (tmp_path / "made").mkdir()
    (tmp_path / "made/file").write_text("x")
    monkeypatch.setattr(os, "link", refuse)
    mirror.publish(tmp_path / "made", [], tmp_path / "served")
    assert (tmp_path / "served/file").read_text() == "x"
