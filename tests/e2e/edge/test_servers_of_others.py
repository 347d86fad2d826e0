# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers of others behind a real Gateway are judged rightly, each as what it is, by IPv4 and IPv6."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation import real_servers
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.real_servers import (
    ACCOUNTS,
    Place,
)

from ...conftest import Lab
from ..neighbours.breaking import AUTHORITY, findings
from ..support import eventually
from ..zone import Zone

NAMESPACE = "others"
HOST = "others.lab.test"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    python = real_servers.python(tmp_path_factory.mktemp("servers"))
    fedify = real_servers.modules(tmp_path_factory.mktemp("modules"))
    return {"pubby": python, "relay": python, "fedify": fedify}


def objects(lab: Lab, port: int) -> list[dict[str, Any]]:
    """Return a Gateway of their own, and the way from it to this machine."""
    chain, key = AUTHORITY.issue(HOST)
    tls = {"mode": "Terminate", "certificateRefs": [{"name": "tls"}]}
    listeners = [
        {"name": "web", "port": 80, "protocol": "HTTP"},
        {"name": "websecure", "port": 443, "protocol": "HTTPS", "hostname": HOST, "tls": tls},
    ]
    secured = {"parentRefs": [{"name": "others", "sectionName": "websecure"}], "hostnames": [HOST]}
    plain = {"parentRefs": [{"name": "others", "sectionName": "web"}], "hostnames": [HOST]}
    led_on = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    ports = [{"name": "http", "port": 80, "targetPort": port}]
    of_service = {"labels": {"kubernetes.io/service-name": "others"}}
    slice_ = {"addressType": "IPv4", "ports": [{"name": "http", "port": port, "protocol": "TCP"}]}
    slice_ |= {"endpoints": [{"addresses": [lab.facts["machine_address"]], "conditions": {"ready": True}}]}
    gateway, core = "gateway.networking.k8s.io/v1", "v1"
    return [
        made(core, "Secret", "tls", type="kubernetes.io/tls", stringData={"tls.crt": chain, "tls.key": key}),
        made(core, "Service", "others", spec={"ports": ports}),
        made("discovery.k8s.io/v1", "EndpointSlice", "others", of_service, **slice_),
        made(gateway, "Gateway", "others", spec={"gatewayClassName": "traefik", "listeners": listeners}),
        made(gateway, "HTTPRoute", "plain", spec={**plain, "rules": [{"filters": [led_on]}]}),
        made(
            gateway,
            "HTTPRoute",
            "others",
            spec={**secured, "rules": [{"backendRefs": [{"name": "others", "port": 80}]}]},
        ),
    ]


def made(version: str, kind: str, name: str, metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    place = {"name": name, "namespace": NAMESPACE, **(metadata or {})}
    return {"apiVersion": version, "kind": kind, "metadata": place, **fields}


@contextmanager
def behind_the_gateway(lab: Lab, port: int) -> Iterator[None]:
    """Let what this machine serves at a port be at a name of the zone."""
    lab.kubectl("create", "namespace", NAMESPACE)
    try:
        items = {"apiVersion": "v1", "kind": "List", "items": objects(lab, port)}
        lab.kubectl("apply", "--filename=-", given=json.dumps(items))
        with ExitStack() as stack:
            for kind, address in zip(("A", "AAAA"), lab.facts["gateway_addresses"], strict=True):
                stack.enter_context(Zone(lab).added(HOST, kind, address))
            yield
    finally:
        lab.kubectl("delete", "namespace", NAMESPACE)


@pytest.mark.parametrize(("server", "account"), ACCOUNTS.items())
def test_it_passes_as_it_is(both: Lab, programs: dict[str, Path], tmp_path: Path, server: str, account: str) -> None:
    declared = {"domain": HOST, "account": account, "software": "", "external_dns_owner_id": ""}
    declared |= {"gateway": {"namespace": NAMESPACE, "name": "others"}}
    start = getattr(Place(tmp_path, HOST, both.facts["machine_address"]), server)

    def wrong() -> list[str]:
        found = findings(both, **declared)
        bad = [one for one in found if one["verdict"] in ("LOST", "CUT", "SOME", "note")]
        return [f"{one['verdict']} {one['subject']}: {one['message']}: {one['fact']}" for one in bad]

    with start(programs[server]) as port, behind_the_gateway(both, port):
        eventually(wrong, lambda found: found == [], 60)
        well = [one for one in findings(both, **declared) if one["verdict"] == "fine"]
    assert {"tls", "webfinger", "actor", "inbox"} <= {one["check"] for one in well}
    for address in both.facts["gateway_addresses"]:
        assert [one for one in well if one["check"] == "tls" and one["subject"].endswith(f" {address}")]
