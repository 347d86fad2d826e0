# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from mastodon_lab.cluster import api
from mastodon_lab.lab import Lab
from mastodon_lab.parts import applied

GROUPS = {
    "/api/v1": [
        {"name": "namespaces/finalize", "kind": "Namespace"},
        {"name": "namespaces", "kind": "Namespace"},
        {"name": "configmaps", "kind": "ConfigMap"},
    ],
    "/apis/apps/v1": [{"name": "deployments", "kind": "Deployment"}],
}
PATHS = [
    "/api/v1/namespaces/dns",
    "/api/v1/namespaces/dns/configmaps/knot",
    "/apis/apps/v1/namespaces/dns/deployments/knot",
]


def managed(manager: str, fields: dict[str, Any], time: str = "2026-11-29T16:00:00Z") -> dict[str, Any]:
    return {"manager": manager, "operation": "Apply", "time": time, "fieldsV1": fields}


def item(version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    within = {"namespace": namespace} if namespace else {}
    ours = managed("mastodon-lab", {"f:spec": {"f:replicas": {}}})
    metadata = {"name": name, **within, "uid": f"uid-of-{name}", "managedFields": [ours]}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


class Server:
    """What the API server has, by path."""

    def __init__(self) -> None:
        objects = (
            item("v1", "Namespace", "", "dns"),
            item("v1", "ConfigMap", "dns", "knot"),
            item("apps/v1", "Deployment", "dns", "knot"),
        )
        self.has = dict(zip(PATHS, objects, strict=True))
        self.asked: list[str] = []

    def groups(self, _lab: Lab, path: str) -> dict[str, Any]:
        self.asked.append(path)
        return {"resources": GROUPS[path]}

    def metadata(self, _lab: Lab, paths: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for path in paths:
            if path not in self.has:
                raise api.NotAnsweringError(f"the API server answers 404 to {path}")
            yield path, self.has[path]


@pytest.fixture
def server(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that has what was applied and noted."""
    made = Server()
    monkeypatch.setattr(api, "get_json", made.groups)
    monkeypatch.setattr(api, "metadata", made.metadata)
    applied.note(lab, "these", list(made.has.values()))
    return made


def test_what_nobody_touched_holds(lab: Lab, server: Server) -> None:
    assert applied.holds(lab, "these")
    assert server.asked == ["/api/v1", "/apis/apps/v1"]
    assert (lab.state / "applied.json").stat().st_mode & 0o777 == 0o600


def test_another_manager_s_fields_are_its_own(lab: Lab, server: Server) -> None:
    server.has[PATHS[2]]["metadata"]["managedFields"].append(managed("somebody", {"f:metadata": {}}))
    server.has[PATHS[2]]["metadata"]["resourceVersion"] = "9"
    assert applied.holds(lab, "these")


def deleted(item: dict[str, Any]) -> None:
    item["metadata"]["uid"] = "another"


def taken_over(item: dict[str, Any]) -> None:
    item["metadata"]["managedFields"] = [managed("somebody", {"f:spec": {"f:replicas": {}}})]


def taken_over_in_part(item: dict[str, Any]) -> None:
    item["metadata"]["managedFields"][0]["fieldsV1"] = {"f:spec": {}}


def changed_by_our_name(item: dict[str, Any]) -> None:
    item["metadata"]["managedFields"][0]["time"] = "2026-11-29T17:00:00Z"


def without_managers(item: dict[str, Any]) -> None:
    del item["metadata"]["managedFields"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("harm", [deleted, taken_over, taken_over_in_part, changed_by_our_name, without_managers])
def test_what_somebody_touched_does_not_hold(
    lab: Lab, server: Server, path: str, harm: Callable[[dict[str, Any]], None]
) -> None:
    harm(server.has[path])
    assert not applied.holds(lab, "these")


def test_what_is_gone_does_not_hold(lab: Lab, server: Server) -> None:
    del server.has[PATHS[1]]
    assert not applied.holds(lab, "these")


@pytest.mark.usefixtures("server")
def test_other_manifests_do_not_hold(lab: Lab) -> None:
    assert not applied.holds(lab, "others")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("noted", ["", "[]", "{}", '{"made_from": "these"}', '{"made_from": "these", "ours": []}'])
def test_a_note_that_cannot_be_read_does_not_hold(lab: Lab, noted: str) -> None:
    (lab.state / "applied.json").write_text(noted)
    assert not applied.holds(lab, "these")


def test_nothing_holds_before_anything_was_applied(lab: Lab) -> None:
    assert not applied.holds(lab, "these")
