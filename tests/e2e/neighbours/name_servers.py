# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""More name servers for the lab's zone, for as long as a test needs them: one that is behind, one that signs, one that checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.dnssec
import dns.message
import dns.query
import dns.rdatatype

from ...conftest import Lab
from ..support import CONTAINER_SECURITY, POD_SECURITY, eventually

# A zone as it was some time ago, or none at all.
LAGGING = """
    zone:
      - domain: lab.test
        file: /etc/server/zone
"""
LAME = ""
# The lab's own zone, fetched with its key and signed on the way.
SIGNING = """
    key:
      - id: {name}
        algorithm: hmac-sha256
        secret: {secret}
    remote:
      - id: master
        address: {master}@53
        key: {name}
    acl:
      - id: master
        address: {master}
        action: notify
    zone:
      - domain: lab.test
        storage: /tmp
        master: master
        acl: master
        dnssec-signing: on
"""
KNOT = """
    server:
        rundir: /tmp
        listen: 0.0.0.0@5353
    database:
        storage: /tmp
"""
UNBOUND = """
    server:
        do-daemonize: no
        username: ""
        chroot: ""
        pidfile: ""
        use-syslog: no
        directory: /tmp
        interface: 0.0.0.0@5353
        access-control: 0.0.0.0/0 allow
        module-config: "validator iterator"
        local-zone: "test." nodefault
        cache-max-ttl: 0
        cache-max-negative-ttl: 0
        ede: yes
        trust-anchor: "{anchor}"
    stub-zone:
        name: "lab.test"
        stub-addr: {server}
"""


@contextmanager
def knot(lab: Lab, name: str, configuration: str, zone: str = "") -> Iterator[str]:
    """Have one more Knot, and return its address."""
    with _server(lab, name, ["knotd", "--config", "/etc/server/conf"], KNOT + configuration, zone) as address:
        yield address


@contextmanager
def unbound(lab: Lab, server: str, anchor: str) -> Iterator[str]:
    """Have a resolver that takes of the lab's zone only what is signed by a key."""
    given = UNBOUND.format(server=server, anchor=anchor)
    with _server(lab, "unbound", ["unbound", "-d", "-p", "-c", "/etc/server/conf"], given, "") as address:
        yield address


def signing(lab: Lab) -> str:
    """Return how a Knot signs the lab's zone."""
    given = lab.stored("dns")
    return SIGNING.format(
        master=lab.facts["nameserver_address"], name=given["tsig-key-name"], secret=given["tsig-secret"]
    )


def anchor(server: str) -> str:
    """Return the key that signs the keys of the lab's zone, as who trusts it writes it down."""

    def asked() -> list[str]:
        query = dns.message.make_query("lab.test.", "DNSKEY", use_edns=True, payload=4096)
        try:
            answer = dns.query.tcp(query, server, timeout=5)
        except OSError:
            # Until its Service leads there.
            return []
        keys = [key for one in answer.answer if one.rdtype == dns.rdatatype.DNSKEY for key in one if key.flags & 1]
        return [dns.dnssec.make_ds("lab.test.", key, "SHA256").to_text() for key in keys]

    return f"lab.test. DS {eventually(asked, bool, 60)[0]}"


def written(serial: int, addresses: Mapping[str, str]) -> str:
    """Return a file of the lab's zone."""
    lines = [f"$ORIGIN lab.test.\n$TTL 5\n@ SOA ns nobody {serial} 60 60 604800 5\n@ NS ns"]
    return "\n".join([*lines, *(f"{name}. A {address}" for name, address in addresses.items()), ""])


def address_of(lab: Lab, name: str) -> str:
    """Return where one of them is asked."""
    return str(lab.get("service", "-n=dns", name)["spec"]["clusterIP"])


def image(lab: Lab) -> str:
    """Return the lab's image of Knot, which also has Unbound and libfaketime."""
    found = lab.get("statefulset", "-n=dns", "knot")["spec"]["template"]["spec"]["containers"]
    return str(found[0]["image"])


@contextmanager
def _server(lab: Lab, name: str, command: list[str], configuration: str, zone: str) -> Iterator[str]:
    metadata, labels = {"name": name, "namespace": "dns"}, {"app": name}
    ports = [{"name": kind.lower(), "port": 53, "targetPort": 5353, "protocol": kind} for kind in ("UDP", "TCP")]
    items: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Secret", "stringData": {"conf": _dedented(configuration), "zone": zone}},
        {"apiVersion": "v1", "kind": "Service", "spec": {"selector": labels, "ports": ports}},
        {"apiVersion": "v1", "kind": "Pod", "spec": _pod(lab, name, command)},
    ]
    objects = [{**item, "metadata": {**metadata, "labels": labels}} for item in items]
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    lab.kubectl("apply", "--filename=-", given=given)
    try:
        lab.kubectl("wait", "pod", "-n=dns", name, "--for=condition=Ready", "--timeout=60s")
        yield address_of(lab, name)
    finally:
        lab.kubectl("delete", "--filename=-", "--wait=false", "--grace-period=0", "--force", given=given)
        lab.kubectl("wait", "pod", "-n=dns", name, "--for=delete", "--timeout=60s")


def _pod(lab: Lab, name: str, command: list[str]) -> dict[str, Any]:
    container = {
        "name": name,
        "image": image(lab),
        "command": command,
        "securityContext": CONTAINER_SECURITY,
        "readinessProbe": {"tcpSocket": {"port": 5353}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "given", "mountPath": "/etc/server"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 the pod has one of its own
        ],
    }
    return {
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "given", "secret": {"secretName": name}}, {"name": "tmp", "emptyDir": {}}],
    }


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in text.splitlines())
