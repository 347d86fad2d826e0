# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from mastodon_lab import versions
from mastodon_lab.build import ceph, images, site_images, stand_ins
from mastodon_lab.build.image import STAND_IN_LABEL, File, Run
from mastodon_lab.build.images import Image
from mastodon_lab.build.store import Store

BASE = Path("/cache/artefacts/busybox-1/layer.tar")
SERVERS = Path("/cache/artefacts/debian-servers-1/layer.tar")
CEPH = Path("/cache/artefacts/debian-ceph-1/layer.tar")


class Programs(defaultdict[str, Path]):
    def __missing__(self, name: str) -> Path:
        return Path(f"/cache/artefacts/some-1/{name}")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "bin").mkdir(parents=True)
    (folder / "mastodon_stand_in").mkdir()
    (folder / "bin/tootctl").write_text("#!/bin/sh\n")
    (folder / "bin/tootctl").chmod(0o755)
    (folder / "mastodon_stand_in/__main__.py").write_text("")
    return folder


@pytest.fixture
def flux_data(tmp_path: Path) -> Path:
    for name in ("flux/v2.9.5/rbac.yaml", "flux-images/VERSION", "flux-images/v2.9.5/upstream-alpine.yaml"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True)
        file.write_text("x")
    return tmp_path / "data"


@pytest.fixture
def rook(tmp_path: Path) -> Path:
    """What is read of Rook's module."""
    for name in ("images/ceph/toolbox.sh", "deploy/examples/monitoring/rbac.yaml", "deploy/examples/cluster.yaml"):
        file = tmp_path / "rook" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    (tmp_path / "rook/deploy/examples/create-external-cluster-resources.py").touch()
    return tmp_path / "rook"


@pytest.fixture
def everything(app: Path, flux_data: Path, rook: Path) -> dict[str, Image]:
    program = Programs()
    made = (
        *images.cluster_images(BASE, program),
        *images.platform_images(BASE, SERVERS, program, lambda part: True),
        *site_images.site_images(BASE, program, flux_data),
        site_images.postgresql_image(SERVERS, "17.11"),
        *site_images.backup_images(SERVERS, BASE, program, flux_data),
        images.mastodon_image(SERVERS, app),
        *stand_ins.dragonfly_images(BASE, SERVERS, program),
        *ceph.rook_images(CEPH, program, rook),
    )
    return {image.name: image for image in made}


def test_only_the_platform_that_a_lab_has_gets_images() -> None:
    made = images.platform_images(BASE, SERVERS, Programs(), lambda part: part in ("redis", "s3"))
    assert {reference for image in made for reference in image.references} == {
        images.REDIS_IMAGE,
        images.S3_IMAGE,
        images.RCLONE_IMAGE,
    }


def test_names_are_full_and_nobody_s_twice(everything: dict[str, Image]) -> None:
    references = [reference for image in everything.values() for reference in image.references]
    assert len(references) == len(set(references))
    for reference in references:
        host, _, rest = reference.partition("/")
        assert "." in host
        assert ":" in rest


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("pause", "docker.io/lab/pause:1"),
        ("cert-manager-startupapicheck", f"quay.io/jetstack/cert-manager-startupapicheck:{versions.CERT_MANAGER}"),
        ("cloudnative-pg", "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0"),
        ("postgresql", "ghcr.io/cloudnative-pg/postgresql:17.11"),
        ("pgbouncer", "ghcr.io/cloudnative-pg/pgbouncer:1.25.1"),
        ("plugin-barman-cloud", "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.13.0"),
        ("plugin-barman-cloud-sidecar", "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v0.13.0"),
        ("volsync", "quay.io/backube/volsync:0.16.0"),
        ("source-controller", f"ghcr.io/fluxcd/source-controller:{versions.SOURCE_CONTROLLER}"),
        ("notification-controller", "ghcr.io/fluxcd/notification-controller:v1.9.4"),
        ("external-dns", f"registry.k8s.io/external-dns/external-dns:{versions.EXTERNAL_DNS}"),
        ("knot", "docker.io/cznic/knot:3.2"),
        ("pebble", "ghcr.io/letsencrypt/pebble:2.10.1"),
        ("mastodon", "ghcr.io/mastodon/mastodon-streaming:v4.7.2"),
        ("mastodon", "ghcr.io/mastodon/mastodon:v4.6.9"),
        ("dragonfly", "docker.dragonflydb.io/dragonflydb/dragonfly:v1.39.0"),
        ("dragonfly-operator", "docker.dragonflydb.io/dragonflydb/operator:v1.6.1"),
        ("rook", "docker.io/rook/ceph:v1.16.0"),
        ("ceph", "quay.io/ceph/ceph:v18.2.7"),
        ("external-secrets", "oci.external-secrets.io/external-secrets/external-secrets:v0.20.4"),
    ],
)
def test_images_have_upstream_s_names(everything: dict[str, Image], name: str, reference: str) -> None:
    assert reference in {*everything[name].references, *everything[name].variants}


def test_stand_ins_say_so(everything: dict[str, Image]) -> None:
    labelled = {name for name, image in everything.items() if STAND_IN_LABEL in image.run.labels}
    assert labelled == {"mastodon", "dragonfly", "dragonfly-operator"}


def test_postgresql_is_as_its_operator_wants_it(everything: dict[str, Image]) -> None:
    run = everything["postgresql"].run
    assert (run.user, run.environment["PATH"].split(":")[0]) == ("26:26", "/usr/lib/postgresql/17/bin")


def test_rook_s_operator_has_ceph_s_programs_below_its_own(everything: dict[str, Image]) -> None:
    operator, ceph_image = everything["rook"], everything["ceph"]
    assert operator.layers == ceph_image.layers == (CEPH,)
    assert (operator.run.entrypoint, operator.run.user) == (("/usr/local/bin/rook",), "2016")
    assert set(operator.entries) - set(ceph_image.entries) == {
        "usr/local/bin/rook",
        "usr/local/bin/set-ceph-debug-level",
        "usr/local/bin/toolbox.sh",
        "etc/ceph-monitoring/rbac.yaml",
        "etc/rook-external/create-external-cluster-resources.py",
    }


def test_dmsetup_gives_its_version_where_the_kernel_has_no_device_mapper(tmp_path: Path) -> None:
    shim = tmp_path / "dmsetup"
    shim.write_bytes(ceph.DMSETUP.replace(b"/usr/sbin/dmsetup", b"echo passed on"))
    shim.chmod(0o755)
    said = subprocess.run([shim, "version"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"(?m)^(\w+) version: +\d+\.\d+\.\d+$", said) == ["Library", "Driver"]
    assert subprocess.run([shim, "ls"], capture_output=True, text=True, check=True).stdout == "passed on ls\n"


def test_flux_operator_has_manifests_but_no_digests(everything: dict[str, Image]) -> None:
    assert set(everything["flux-operator"].entries) == {
        "flux-operator",
        "data/flux/v2.9.5/rbac.yaml",
        "data/flux-images/VERSION",
    }


def test_the_app_belongs_to_mastodon_s_user(everything: dict[str, Image]) -> None:
    entry = everything["mastodon"].entries["opt/mastodon/bin/tootctl"]
    assert entry == File(b"#!/bin/sh\n", 0o755, 991, 991)


def test_each_version_of_mastodon_knows_which_it_is(everything: dict[str, Image]) -> None:
    variants = everything["mastodon"].variants
    assert everything["mastodon"].run == variants[f"ghcr.io/mastodon/mastodon:{versions.MASTODON}"]
    assert len(variants) == 2 * len(versions.MASTODON_LADDER)
    for reference, run in variants.items():
        assert reference.endswith(f":v{run.environment['STAND_IN_VERSION']}")


def test_the_app_s_change_changes_its_image(app: Path) -> None:
    before = images.mastodon_image(SERVERS, app)
    (app / "mastodon_stand_in/__main__.py").write_text("print()")
    assert repr(images.mastodon_image(SERVERS, app)) != repr(before)


def test_a_layout_is_written_once_and_by_content(tmp_path: Path) -> None:
    layer = tmp_path / "layer.tar"
    layer.write_bytes(b"layer")
    store = Store(tmp_path)
    image = Image("thing", ("docker.io/lab/thing:1",), (layer,), Run(), {"a": File(b"1")})
    other = Image("thing", ("docker.io/lab/thing:1",), (layer,), Run(), {"a": File(b"2")})
    path = images.layout(store, image)
    assert images.layout(store, image) == path
    assert images.layout(store, other) != path
    assert sorted(file.name for file in path.iterdir()) == ["blobs", "index.json", "oci-layout"]
