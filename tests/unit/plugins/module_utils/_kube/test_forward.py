# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pod a Service leads to, and what is said when there is none. The socket itself is watched on a real cluster."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import Service, dial, service_at

S3 = Service("store", "s3", 80)


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("s3.store.svc", S3),
        ("s3.store.svc.cluster.local", S3),
        ("s3.store.svc.my.domain", S3),
        ("s3.store", None),
        ("s3.example.org", None),
        ("10.0.0.1", None),
        ("a.s3.store.svc", None),
    ],
)
def test_a_host_of_the_cluster_is_told_from_one_outside(host: str, found: Service | None) -> None:
    assert service_at(host, 80) == found


def cluster(services: list[dict[str, Any]], slices: list[dict[str, Any]]) -> Any:
    """A connection to an API server that has these."""

    def request(_method: str, url: str, **_unused: Any) -> Any:
        items = slices if "/endpointslices" in url else services
        body = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}
        return SimpleNamespace(status=200, data=json.dumps(body).encode(), headers={})

    return SimpleNamespace(host="https://cluster", pool=SimpleNamespace(request=request), headers=dict)


SERVICE = {"metadata": {"name": "s3"}, "spec": {"ports": [{"name": "web", "port": 80, "targetPort": "http"}]}}


def slice_of(service: str, *, ready: bool | None, kind: str = "Pod", port: str = "web") -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": port, "port": 8080}],
        "endpoints": [
            {
                "targetRef": {"kind": kind, "name": f"{service}-0"},
                "conditions": {} if ready is None else {"ready": ready},
            }
        ],
    }


@pytest.mark.parametrize("ready", [True, None])
def test_leads_to_a_ready_pod_and_the_port_behind_the_name(monkeypatch: pytest.MonkeyPatch, ready: bool | None) -> None:
    found: list[Any] = []
    monkeypatch.setattr(forward, "_forward", lambda *arguments: found.append(arguments[1:]))
    dial(cluster([SERVICE], [slice_of("other", ready=True), slice_of("s3", ready=ready)]), S3)
    assert found == [(S3, "s3-0", 8080)]


@pytest.mark.parametrize(
    ("services", "slices", "told"),
    [
        ([], [], "Service store/s3: does not exist."),
        ([{"metadata": {}, "spec": {"ports": [{"port": 443}]}}], [], "Service store/s3: has no port 80."),
        ([SERVICE], [], "Service store/s3: cannot be reached: no pod behind it is ready."),
        ([SERVICE], [slice_of("s3", ready=False)], "no pod behind it is ready"),
        ([SERVICE], [slice_of("s3", ready=True, kind="Node")], "no pod behind it is ready"),
        ([SERVICE], [slice_of("s3", ready=True, port="metrics")], "no pod behind it is ready"),
        ([SERVICE], [slice_of("other", ready=True)], "no pod behind it is ready"),
    ],
)
def test_no_way_is_told_in_one_sentence(services: list[Any], slices: list[Any], told: str) -> None:
    with pytest.raises(MastodonError) as refused:
        dial(cluster(services, slices), S3)
    assert told in str(refused.value)


def test_a_refused_connection_names_the_right_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_unused: Any, **_options: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(forward.websocket, "create_connection", refuse)
    connection = cluster([SERVICE], [slice_of("s3", ready=True)])
    connection.pool.connection_pool_kw = {}
    with pytest.raises(MastodonError, match="create pods/portforward in namespace store"):
        dial(connection, S3)
