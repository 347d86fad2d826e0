# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported of an API server, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError

from .._reconcile.fake_api import FakeApi, kind

HOST = "https://10.0.0.1:6443"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DEFAULT = "storageclass.kubernetes.io/is-default-class"


class Server:
    """Answers requests as an API server whose user may do what `allowed` names: verb, resource and namespace."""

    def __init__(self, *allowed: str, minor: str = "36") -> None:
        self.allowed = allowed
        self.minor = minor
        self.asked: list[str] = []

    def request(self, method: str, path: str, *, about: str, read: Callable[[Any], Any], body: Any = None) -> Any:
        return read(self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: Any) -> dict[str, Any]:
        if path == "/version":
            return {"major": "1", "minor": self.minor, "gitVersion": f"v1.{self.minor}.0"}
        assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        wanted = body["spec"]["resourceAttributes"]
        resource = ".".join(part for part in (wanted["resource"], wanted.get("group")) if part)
        place = "/".join(part for part in (resource, wanted.get("subresource")) if part)
        self.asked.append(" ".join(part for part in (wanted["verb"], place, wanted.get("namespace")) if part))
        return {"status": {"allowed": self.asked[-1] in self.allowed}}


def server(*allowed: str, minor: str = "36") -> Any:
    return Server(*allowed, minor=minor)


def sentence(look: Any, *arguments: Any) -> str:
    with pytest.raises(MastodonError) as caught:
        look(*arguments)
    return str(caught.value)


def test_a_supported_version_is_reported() -> None:
    assert cluster.version(server(), HOST) == f"API server {HOST}: Kubernetes v1.36.0"


@pytest.mark.parametrize("minor", ["32", "9", "32+"])
def test_an_old_version_is_refused(minor: str) -> None:
    reported = sentence(cluster.version, server(minor=minor), HOST)
    assert reported == f"API server {HOST}: is too old: it is v1.{minor}.0. Upgrade Kubernetes to 1.33 or newer."


@pytest.mark.parametrize("seconds", [0, 60, -60])
def test_a_clock_that_is_near_enough_is_right(seconds: int) -> None:
    assert cluster.clock(NOW, NOW + timedelta(seconds=seconds)) == "Clock: the same here and on the API server"


@pytest.mark.parametrize(("seconds", "reported"), [(300, "300 s ahead of"), (-61, "61 s behind")])
def test_a_clock_that_is_off_says_which_and_how_much(seconds: int, reported: str) -> None:
    found = sentence(cluster.clock, NOW, NOW + timedelta(seconds=seconds))
    assert found.startswith(f"Clock: is wrong: this machine's is {reported} the API server's. Set both by NTP")


def test_a_server_that_tells_no_time_is_skipped_and_not_taken_for_right() -> None:
    with pytest.raises(SkippedError):
        cluster.clock(datetime.min.replace(tzinfo=UTC), NOW)


def storage(**classes: bool) -> Any:
    api = FakeApi(served=(kind("storage.k8s.io", "StorageClass", namespaced=False),))
    for name, is_default in classes.items():
        metadata = {"name": name, "annotations": {DEFAULT: str(is_default).lower()}, "creationTimestamp": name}
        api.put({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata, "provisioner": "p"})
    return api


def test_the_class_that_is_named_or_the_newest_default_is_taken() -> None:
    assert cluster.storage_class(storage(a=False, b=True), "a", "x") == "StorageClass a: there, by p, for x"
    assert cluster.storage_class(storage(a=True, b=True, c=False), "", "x") == "StorageClass b: there, by p, for x"


@pytest.mark.parametrize(
    ("classes", "name", "reported"),
    [
        ({"a": True}, "fast", "StorageClass fast: does not exist: there are a. Correct x."),
        ({}, "fast", "StorageClass fast: does not exist: there is none. Correct x."),
        ({"a": False}, "", "StorageClass: none is the default: there are a. Set x to one, or mark one: kubectl "),
        ({}, "", "StorageClass: none is the default: the cluster has no StorageClass. Set x to one"),
    ],
)
def test_a_class_that_is_not_there_is_named_with_those_that_are(classes: Any, name: str, reported: str) -> None:
    assert sentence(cluster.storage_class, storage(**classes), name, "x").startswith(reported)


WANTED = [
    {"resources": ["secrets", "jobs.batch"], "namespaces": [], "verbs": ["list", "patch"]},
    {"resources": ["pods/exec"], "namespaces": ["mastodon", "social"], "verbs": ["create"]},
]


def test_who_may_do_everything_is_asked_once() -> None:
    asked = server("* *.*")
    assert cluster.rights(asked, WANTED) == "Rights: all"
    assert asked.asked == ["* *.*"]


def test_who_may_do_what_is_needed_passes() -> None:
    secrets, jobs = (("list secrets", "patch secrets"), ("list jobs.batch", "patch jobs.batch"))
    allowed = (*secrets, *jobs, "create pods/exec mastodon", "create pods/exec social")
    assert cluster.rights(server(*allowed), WANTED) == "Rights: all that the chosen roles need, on 3 kinds"


def test_every_missing_right_is_named() -> None:
    reported = sentence(cluster.rights, server("list secrets", "create pods/exec"), WANTED)
    assert reported == (
        "Rights: are missing: on 3 of 3 kinds. Give the kubeconfig's user a ClusterRole that may "
        "patch secrets; list/patch jobs.batch; create in namespaces mastodon, social pods/exec."
    )


def test_who_may_not_list_classes_learns_that_none_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    api = storage(a=True)
    refusal = ApiError("StorageClass", "is not permitted", "", "", status=403)
    monkeypatch.setattr(api, "read", lambda _selection: (_unused for _unused in ()).throw(refusal))
    with pytest.raises(SkippedError, match="you may not list them"):
        cluster.storage_class(api, "", "x")


def machines(*names: str) -> Any:
    api = FakeApi(served=(kind("", "Node", namespaced=False),))
    for name in names:
        labels = {"kubernetes.io/hostname": name.partition(".")[0]}
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    return api


def test_nodes_are_known_by_their_label() -> None:
    assert cluster.nodes(machines("one.lan", "two.lan"), ["two"]) == "Nodes two: there, for rook_storage"
    assert sentence(cluster.nodes, machines("one.lan", "two.lan"), ["one", "two.lan", "three"]) == (
        "Node two.lan, three: does not exist: label kubernetes.io/hostname is one, two. Correct nodes in rook_storage."
    )


def test_who_may_not_list_nodes_learns_that_none_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    api = machines("one")
    refusal = ApiError("Node", "is not permitted", "", "", status=403)
    monkeypatch.setattr(api, "read", lambda _selection: (_unused for _unused in ()).throw(refusal))
    with pytest.raises(SkippedError, match="you may not list them"):
        cluster.nodes(api, ["one"])
