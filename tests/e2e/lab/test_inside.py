# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks at an instance from inside, by a real kubelet: connections through a pod, and the pod that looks by itself."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import look_up_through
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import ready_pod, run
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.relay import PROGRAMS, Pod, Program, pod_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.roles.test_federation_watch import NAME, watch

from ...conftest import Lab

NAMESPACE = "inside"
SERVICE = "kubernetes.default.svc.cluster.local"


@pytest.fixture(scope="module")
def watching(lab: Lab) -> Iterator[Lab]:
    """The pod that looks, where nothing may have rights."""
    lab.kubectl("create", "namespace", NAMESPACE)
    lab.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    items = {"apiVersion": "v1", "kind": "List", "items": list(watch(mastodon_namespace=NAMESPACE).values())}
    lab.kubectl("apply", "--server-side", "-f-", given=json.dumps(items))
    lab.kubectl("rollout", "status", f"deployment/{NAME}", f"-n={NAMESPACE}", "--timeout=240s")
    yield lab
    lab.kubectl("delete", "namespace", NAMESPACE)


@pytest.fixture(scope="module")
def pod(watching: Lab) -> Pod:
    connection = connect({"kubeconfig": watching.facts["kubeconfig"]}, {})
    return pod_at(
        connection, NAMESPACE, ready_pod(connection, NAMESPACE, {"app.kubernetes.io/name": "federation-watch"})
    )


def test_it_is_ready_once_it_has_looked_and_serves_what_it_saw(watching: Lab, pod: Pod) -> None:
    seen = watching.kubectl("get", f"--raw=/api/v1/namespaces/{NAMESPACE}/pods/{pod.name}:9808/proxy/metrics")
    # The lab knows no such domain.
    assert 'federation_check_passed{domain="example.org",vantage="inside"} 0\n' in seen
    assert 'check="addresses",fault="' in seen
    log = watching.kubectl("logs", f"-n={NAMESPACE}", pod.name)
    assert log.startswith("example.org as seen from inside: 1 CUT, ")


def test_it_has_no_token_and_can_write_nowhere(pod: Pod) -> None:
    def said(*command: str) -> int:
        return run(pod.connection, NAMESPACE, pod.name, pod.container, command, 20).code

    assert said("test", "-e", "/watch/options.json") == 0
    assert said("test", "-e", "/var/run/secrets/kubernetes.io") == 1
    assert said("sh", "-c", "touch /tmp/a") == 1
    assert said("touch", "/watch/a") == 1


@pytest.mark.parametrize("program", PROGRAMS[:2], ids=lambda one: one.relay[0])
def test_connections_through_it_are_those_of_a_pod(watching: Lab, pod: Pod, program: Program) -> None:
    through = replace(pod, program=program)
    dns = watching.get("service", "-n=kube-system", "kube-dns")["spec"]["clusterIP"]
    assert through.nameservers == [dns]
    found = look_up_through(partial(through.way(dns, 53, 10)), SERVICE, "A", time.monotonic() + 10)
    (address,) = found.records
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with unchecked.wrap_socket(through.way(address, 443, 10)()) as link:
        link.sendall(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 200 ")
    # What only the pod itself reaches, and what it does not.
    with through.way("127.0.0.1", 9808, 10)() as plain:
        plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert plain.recv(100).startswith(b"HTTP/1.1 200 ")
    with pytest.raises(ConnectionRefusedError):
        through.way("127.0.0.1", 1, 10)()


def test_nothing_of_it_stays(pod: Pod) -> None:
    command = ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    until = time.monotonic() + 20
    while True:
        left = run(pod.connection, NAMESPACE, pod.name, pod.container, command, 20).stdout
        if "create_connection" not in left and "IO::Socket" not in left:
            return
        assert time.monotonic() < until, left
        time.sleep(0.5)
