# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's scenario in kind as on a machine with Docker and the internet, whose names the lab's mirror answers under over TLS.

That machine is namespaces which nothing leads out of (internet.py). Tests run in this order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import pytest
from mastodon_lab.build.kind_node import NODE_IMAGE
from mastodon_lab.versions import CEPH, EXTERNAL_SECRETS, ROOK

from ...conftest import LAB_INDEX
from ...unit.roles.references import kind_inventory, named, platform, references
from ..lab.traces import machine, traces
from ..support import eventually
from .internet import Machine
from .internet import machine as machine_with_internet
from .upstream import REGISTRIES

INDEX = int(LAB_INDEX)
NAME = f"internet-{INDEX}"
SETTINGS = {"KIND_INVENTORY": "../tests/e2e/kind/mirrored", "KIND_NODE_IMAGE": NODE_IMAGE}
# What mirrored/ and the node that is built here have in place of what the internet has.
OTHERWISE = {
    rf"{re.escape('docker.io/kindest/node')}:.*": NODE_IMAGE,
    r"(ghcr.io/cloudnative-pg/postgresql):.*": r"\1:17",
    r"ghcr.io(/external-secrets/external-secrets):.*": rf"oci.external-secrets.io\1:{EXTERNAL_SECRETS}",
    r"(.*/external-secrets):2.*": rf"\1:{EXTERNAL_SECRETS.removeprefix('v')}",
    r"(docker.io/rook/ceph|.*/rook-ceph):.*": rf"\1:{ROOK}",
    r"(quay.io/ceph/ceph):.*": rf"\1:{CEPH}",
}
# The chart of the Rook that is built here does not name it.
LACKING = re.compile(r"quay\.io/cephcsi/ceph-csi-operator:")
# What is asked for by certificates over HTTP, by pools of connections, and by a check that the lab's cert-manager does not pass.
NOT_NEEDED = re.compile(
    r"quay\.io/jetstack/cert-manager-(acmesolver|startupapicheck):|ghcr\.io/cloudnative-pg/pgbouncer:"
)
# kind's node has these, and the one that is built here pulls them.
OF_NODE = re.compile(r"registry\.k8s\.io/(kube-|etcd:|pause:)|docker\.io/rancher/local-path-provisioner:")
ASK = ("python", "-c", "import sys, urllib.request as web; web.urlopen(web.Request(sys.argv[1], method='HEAD'))")
HOSTS = {image: host for host, image in REGISTRIES.items()}
PULLED = re.compile(r"/v2/(.+)/manifests/([^:]+)")
CHART = re.compile(r"/(?:.+/)?([a-z-]+)-(v?\d.*)\.tgz")


@pytest.fixture(scope="module")
def before() -> dict[str, object]:
    """What this machine is like without the other."""
    return machine()


@pytest.fixture(scope="module")
def there(before: dict[str, object]) -> Iterator[Machine]:
    assert before
    with machine_with_internet(NAME, INDEX) as made:
        yield made


def test_nothing_beyond_the_mirror_can_be_reached(there: Machine) -> None:
    asked = there.run("python", "-c", "import socket; socket.create_connection(('192.0.2.1', 443), 5)", timeout=60)
    assert "Network is unreachable" in asked.stdout
    asked = there.run("python", "-c", "import socket; socket.getaddrinfo('example.org', 443)", timeout=60)
    assert re.search("Name or service not known|No address associated", asked.stdout)
    routes = there.run("ip", "route", "show", "default", timeout=60)
    assert (routes.returncode, routes.stdout) == (0, "")


def test_kind_and_the_platform_are_there_from_what_was_said_beforehand(there: Machine) -> None:
    for step in ("create", "prepare"):
        passes(there, step)
    status = there.run("lab/status", "--name", there.there.name, "--json", timeout=120)
    parts = {part["name"]: part["ready"] for part in json.loads(status.stdout)["parts"]}
    assert set(parts.values()) == {True}
    assert {"node", "services", "CoreDNS", "OpenBao", "Traefik", "S3 server (VersityGW)"} <= parts.keys()
    assert pulled_by(there) == said_of(platform())


def test_site_yml_runs_from_upstream_s_names_and_then_changes_nothing(there: Machine) -> None:
    passes(there, "converge")
    passes(there, "idempotence")
    facts = json.loads(there.there.facts.read_text())
    (device,) = [disk["name"] for disk in cephs_disks(there)]
    assert device == facts["ceph_disk"] == str(there.there.disk)


def test_a_post_with_a_picture_reaches_database_and_bucket_of_ceph(there: Machine) -> None:
    passes(there, "verify")
    said = there.run("lab/prove", "--name", there.there.name, timeout=300).stdout
    assert "ObjectBucketClaim mastodon/mastodon-s3 got bucket mastodon-mastodon-s3 at rook-ceph-rgw-media." in said


def test_all_that_was_pulled_was_said_and_all_that_was_said_but_what_is_not_needed_was_pulled(there: Machine) -> None:
    said = said_of(all_that_is_said())
    assert pulled_by(there) == {reference for reference in said if not NOT_NEEDED.match(reference)}


def test_a_node_that_is_killed_comes_back_with_its_volumes(there: Machine) -> None:
    def claims() -> str:
        return kubectl(there, "get", "pvc", "-A", "-o", "name")

    before = claims()
    assert "persistentvolumeclaim/data-openbao-0" in before
    killed = there.run("docker", "kill", f"mastodon-lab-{there.there.name}-control-plane", timeout=60)
    assert killed.returncode == 0, killed.stdout
    up = there.run("lab/up", "--name", there.there.name, timeout=600)
    assert up.returncode == 0, up.stdout[-3000:]
    assert claims() == before


def test_what_ceph_has_is_there_again_with_it(there: Machine) -> None:
    eventually(
        lambda: there.run("lab/prove", "--name", there.there.name, timeout=300), lambda done: done.returncode == 0, 300
    )


def test_every_image_chart_and_manifest_that_is_said_is_served_under_its_name(there: Machine) -> None:
    said = said_of(all_that_is_said())
    missing = {reference for reference in said if there.run(*head(reference), timeout=60).returncode}
    assert missing == set()
    assert there.run(*head("ghcr.io/mastodon/mastodon:v0.0.1"), timeout=60).returncode


def test_nothing_was_asked_for_that_the_internet_would_not_have(there: Machine) -> None:
    lacking = {path for _, path, status in there.asked() if status >= 400}
    assert lacking == {"/v2/mastodon/mastodon/manifests/v0.0.1"}


def test_nothing_of_it_is_left(there: Machine, before: dict[str, object]) -> None:
    passes(there, "destroy")
    left = there.run("docker", "ps", "--all", "--quiet", timeout=60)
    assert (left.returncode, left.stdout) == (0, "")
    assert not there.there.state.exists()
    assert machine() == before


def test_nothing_of_that_machine_is_left_when_it_is_ended(before: dict[str, object]) -> None:
    with machine_with_internet(NAME, INDEX) as made:
        assert {"processes", "interfaces", "addresses", "routes", "cgroups"} <= traces(NAME, INDEX).keys()
    assert traces(NAME, INDEX) == {}
    assert machine() == before
    assert not made.lab.state.exists()


def passes(there: Machine, step: str) -> None:
    """Run a step of Molecule's scenario to a good end."""
    done = there.run("molecule", step, "--scenario-name", "kind", timeout=1200, **SETTINGS)
    assert done.returncode == 0, done.stdout[-8000:]


def kubectl(there: Machine, *words: str) -> str:
    """Return what kubectl prints of the lab that is there."""
    done = there.run(f"{there.there.bin}/kubectl", f"--kubeconfig={there.there.kubeconfig}", *words, timeout=60)
    assert done.returncode == 0, done.stdout
    return done.stdout


def cephs_disks(there: Machine) -> list[dict[str, str]]:
    """Return the disks that Ceph was given."""
    found: list[dict[str, str]] = json.loads(
        kubectl(there, "-n=rook-ceph", "get", "cephcluster", "rook-ceph", "-o=jsonpath={.spec.storage.devices}")
    )
    return found


def all_that_is_said() -> list[str]:
    """Return what extensions/molecule/kind/references prints."""
    fetched = references(kind_inventory())
    return [*platform(), *fetched, *named(fetched)]


def said_of(lines: Iterable[str]) -> set[str]:
    """Return the references of these lines, as the mirror has them."""
    said = {otherwise(line.split(" ", 1)[1]) for line in lines if " of Flux " not in line}
    return {reference for reference in said if not LACKING.match(reference)}


def otherwise(reference: str) -> str:
    """Return what stands for a reference on the mirror."""
    for said, instead in OTHERWISE.items():
        if re.fullmatch(said, reference):
            return re.sub(said, instead, reference)
    return reference


def head(reference: str) -> tuple[str, ...]:
    """Return a command that fails unless that is served, with a certificate of the name's."""
    if reference.startswith("https://"):
        place, version = reference.rpartition(":")[::2]
        chart = version and not version.startswith("//")
        return (*ASK, f"{place}-{version}.tgz" if chart else reference)
    host, _, rest = reference.removeprefix("oci://").partition("/")
    name, _, tag = rest.rpartition(":")
    return (*ASK, f"https://{HOSTS.get(host, host)}/v2/{name}/manifests/{tag}")


def pulled_by(there: Machine) -> set[str]:
    """Return what was pulled that kind's own node does not have."""
    return {reference for reference in asked_for(there) if not OF_NODE.search(reference)}


def asked_for(there: Machine) -> Iterator[str]:
    """Yield what was asked for by a version, as it is called in the list of references."""
    for host, path, _ in there.asked():
        if image := PULLED.fullmatch(path):
            chart = "oci://" if "/helm/" in image[1] else ""
            yield f"{chart}{REGISTRIES.get(host, host)}/{image[1]}:{image[2]}"
        elif chart_file := CHART.fullmatch(path):
            yield f"https://{host}{path.rpartition('/')[0]}/{chart_file[1]}:{chart_file[2]}"
        elif not path.endswith(("/index.yaml", "/v2/", "/tags/list")) and "/v2/" not in path:
            yield f"https://{host}{path}"
