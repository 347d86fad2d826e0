# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mastodon_lab.build.plan import Built
from mastodon_lab.cluster import api
from mastodon_lab.errors import LabError
from mastodon_lab.lab import ALL, WEBSITE, Lab
from mastodon_lab.parts import applied, catalogue, certificates, platform, workloads
from mastodon_lab.parts.catalogue import Act, Part
from mastodon_lab.parts.keys import Keys, keys
from mastodon_lab.progress import Progress

WORKING: dict[str, Any] = {"spec": {"replicas": 1}, "status": {"readyReplicas": 1}}


def part(prove: Act, set_up: Act = catalogue._nothing) -> Part:
    return Part("Thing", "v1", "things/deployment/thing", prove, set_up)


def failing(times: int, error: Exception) -> Act:
    """Fails so many times, then works."""
    left = [error] * times

    def act(lab: Lab, keys: Keys) -> None:
        if left:
            raise left.pop()

    return act


class Cluster:
    """What was asked of kubectl."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.waited: list[str] = []
        self.noted: list[tuple[str, list[dict[str, Any]]]] = []
        self.untouched = True

    def holds(self, made_from: str) -> bool:
        return self.untouched and bool(self.noted) and self.noted[-1][0] == made_from

    def apply(self, manifests: str) -> list[dict[str, Any]]:
        self.applied.append(manifests)
        return [{"of": manifests}]

    def apply_kustomization(self, folder: Path) -> list[dict[str, Any]]:
        self.applied.append(str(folder))
        return [{"of": str(folder)}]


@pytest.fixture
def cluster(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    lab.pki.mkdir()
    made = Cluster()
    monkeypatch.setattr(platform, "Kubectl", lambda *_: made)
    monkeypatch.setattr(platform, "POLL_SECONDS", 0)
    monkeypatch.setattr(workloads, "wait", lambda _lab, _kubectl, workload, _seconds: made.waited.append(workload))
    monkeypatch.setattr(applied, "note", lambda _lab, made_from, objects: made.noted.append((made_from, objects)))
    monkeypatch.setattr(applied, "holds", lambda _lab, made_from: made.holds(made_from))
    return made


def deploy(lab: Lab, monkeypatch: pytest.MonkeyPatch, *parts: Part) -> None:
    manifests = lab.state / "manifests"
    manifests.mkdir(exist_ok=True)
    for part in parts:
        (manifests / f"{part.key}.yaml").write_text(f"kind: {part.key}")
    (manifests / "mastodon.yaml").write_text("kind: Namespace")
    monkeypatch.setattr(platform, "MANIFESTS", manifests)
    monkeypatch.setattr(platform, "PARTS", parts)
    built = Built({"kubectl": Path("kubectl")}, (), Path("/mirror"), Path("/gateway-api"))
    platform.deploy(lab, built, Progress(lab.cache / "durations.json", io.StringIO()))


def test_the_gateway_api_comes_before_what_uses_it(lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(lab, monkeypatch, part(failing(0, OSError())))
    assert cluster.applied[0] == "/gateway-api"
    assert cluster.applied[1] == "kind: thing\n---\nkind: Namespace"
    assert cluster.waited == ["things/deployment/thing"]


def test_what_holds_is_not_applied_again_but_waited_for(
    lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = part(failing(0, OSError()))
    deploy(lab, monkeypatch, thing)
    ((_made_from, objects),) = cluster.noted
    assert objects == [{"of": one} for one in cluster.applied]
    deploy(lab, monkeypatch, thing)
    assert (len(cluster.applied), len(cluster.waited)) == (2, 2)
    cluster.untouched = False
    deploy(lab, monkeypatch, thing)
    assert len(cluster.applied) == 4


@pytest.mark.usefixtures("cluster")
def test_what_is_applied_stands_for_the_gateway_api_and_each_manifest(
    lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = part(failing(0, OSError()))
    deploy(lab, monkeypatch, thing)
    deploy(lab, monkeypatch, thing, replace(thing, workload="things/deployment/other"))
    deploy(replace(lab, parts=frozenset({"thing", "other", "site"})), monkeypatch, thing)
    assert len({made_from for made_from, _objects in cluster.noted}) == 3


def test_what_a_lab_was_not_given_is_left_out(lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    coredns = replace(part(failing(0, OSError())), workload="kube-system/deployment/coredns")
    bare = replace(lab, parts=frozenset())
    deploy(bare, monkeypatch, coredns, part(failing(99, OSError("never asked"))))
    assert cluster.applied == ["kind: coredns"]
    assert cluster.waited == ["kube-system/deployment/coredns"]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    "error", [OSError("refused"), LabError("No."), api.NotAnsweringError("busy")], ids=["system", "ours", "API server"]
)
def test_a_part_may_need_a_moment(lab: Lab, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    deploy(lab, monkeypatch, part(failing(2, error), set_up=failing(2, error)))


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("refused"), r"^Thing: refused\. Check `lab/status`, then run lab/up again"),
        (api.NotAnsweringError("busy"), r"^Thing: busy\. Check `lab/status`"),
        (LabError("OpenBao: it is sealed. Do this."), r"^OpenBao: it is sealed\. Do this\.$"),
    ],
)
def test_a_part_that_does_not_work_is_said(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    monkeypatch.setattr(platform, "PATIENCE_SECONDS", 0)
    with pytest.raises(LabError, match=said):
        deploy(lab, monkeypatch, part(failing(99, error)))


@pytest.fixture
def certified(lab: Lab) -> Lab:
    """The lab with every part, and with its servers' certificates."""
    lab.pki.mkdir()
    certificates.ensure(lab, platform.servers(lab))
    return replace(lab, parts=frozenset({ALL, WEBSITE}))


def test_every_name_in_manifests_is_filled_in(certified: Lab) -> None:
    lab = certified
    filled = platform.manifests(lab, keys(lab))
    assert len(filled) == len(platform.PARTS) + 1
    assert not re.search(r"@[A-Z0-9_]+@", "\n".join(filled))
    assert lab.gateway_ip in "".join(filled)
    assert keys(lab).redis_password in "".join(filled)


def test_podsecurity_restricted_is_enforced_where_mastodon_will_be(certified: Lab) -> None:
    *_parts, last = platform.manifests(certified, keys(certified))
    assert "kind: Namespace" in last
    assert "pod-security.kubernetes.io/enforce: restricted" in last
    bare = replace(certified, parts=frozenset())
    assert not [one for one in platform.manifests(bare, keys(bare)) if "pod-security" in one]


def test_a_changed_manifest_restarts_its_pods() -> None:
    first, second = (platform._filled(f"{text}: @MANIFEST@", {}) for text in ("a", "b"))
    assert first.split(": ")[1] != second.split(": ")[1]


def test_every_part_has_its_manifest(certified: Lab) -> None:
    filled = "\n".join(platform.manifests(certified, keys(certified)))
    for item in platform.PARTS:
        namespace, kind, name = item.workload.split("/")
        assert re.search(
            rf"(?m)^kind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}$", filled, re.IGNORECASE
        )


def status_of(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, item: Part, answer: Callable[[str], dict[str, Any]]
) -> tuple[bool, str]:
    monkeypatch.setattr(platform, "PARTS", (item,))
    monkeypatch.setattr(api, "get_json", lambda _, path: answer(path))
    found, *for_site = platform.status(lab)
    assert [part.name for part in (found, *for_site) if part.stand_in] == [
        "Dragonfly operator",
        "Dragonfly",
        "Mastodon chart",
        "Mastodon",
    ]
    return found.ready, found.reason


def test_what_a_lab_is_without_is_not_for_site_yml_to_install(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "PARTS", ())
    rows = {
        parts: {row.name for row in platform.status(replace(lab, parts=frozenset(parts)))}
        for parts in (("site",), ("site", "ceph"))
    }
    assert rows["site", "ceph"] - rows["site",] == {"Rook operator", "Ceph"}
    assert platform.status(replace(lab, parts=frozenset())) == ()


def not_answering(path: str) -> dict[str, Any]:
    raise api.NotAnsweringError(f"the API server answers 404 to {path}")


@pytest.mark.parametrize(
    ("item", "answer", "said"),
    [
        (part(failing(0, OSError())), lambda _: WORKING, (True, "")),
        (part(failing(1, OSError("refused"))), lambda _: WORKING, (False, "refused")),
        (
            part(failing(0, OSError())),
            lambda _: WORKING | {"status": {}},
            (False, "deployment things/thing has no ready pod"),
        ),
        (
            part(failing(0, OSError())),
            not_answering,
            (False, "the API server answers 404 to /apis/apps/v1/namespaces/things/deployments/thing"),
        ),
    ],
    ids=["works", "does not prove it", "no pod", "not there"],
)
def test_status_says_how_a_part_is_doing(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    item: Part,
    answer: Callable[[str], dict[str, Any]],
    said: tuple[bool, str],
) -> None:
    assert status_of(lab, monkeypatch, item, answer) == said


def test_status_says_what_production_gets_where_the_lab_has_something_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "PARTS", ())
    said = {part.name: part for part in platform.status(lab)}
    assert said["CloudNativePG"].pinned == said["CloudNativePG"].version
    assert said["Flux source-controller"].said == "for site.yml to install"
    assert said["Flux notification-controller"].said.startswith(
        "for site.yml to install; pinned v1.9.4, here v1.9.3, because the Go proxy refuses "
    )


def test_facts_say_where_services_are_found(lab: Lab) -> None:
    assert platform.facts(lab) == {
        "s3_endpoint": "http://s3.object-store.svc.cluster.local:8333",
        "redis_host": "redis.cache.svc.cluster.local",
        "machine_address": "10.209.255.1",
        "dns_zone": "lab.test",
        "nameserver_address": "10.209.0.53",
        "website_address": "",
        "acme_directory": "https://pebble.acme.svc.cluster.local:14000/dir",
        "acme_ca_file": str(lab.pki / "platform-ca.crt"),
        "acme_root": "https://10.209.0.30:15000/roots/0",
        "acme_roots": str(lab.state / "acme-roots.pem"),
        "smtp_host": "mailpit.mail.svc.cluster.local",
        "mail_api": "http://10.209.0.25:8025",
    }
    with_site = replace(lab, parts=frozenset({ALL, WEBSITE}))
    assert platform.facts(with_site)["website_address"] == "10.209.0.80"
