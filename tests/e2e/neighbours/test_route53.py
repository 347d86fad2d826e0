# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain proved in Route 53 by the real cert-manager to a real ACME server, which looks it up in the lab's zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.edge.route53 import Route53
from ansible_collections.fediverse.mastodon.tests.integration.edge.service import Answer, served
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

from ...conftest import Lab
from ..smoke.support import apply, wait_ready
from ..zone import Zone

DOMAIN = "aws.lab.test"
SPACE = "gateway-system"
KEYS = {"access-key-id": "AKIDEXAMPLE", "secret-access-key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
CERT_MANAGER = ("-n=cert-manager", "deployment/cert-manager")


class Published(Route53):
    """A Route 53 whose one zone the world asks the lab's name server for."""

    def __init__(self, zone: Zone) -> None:
        access, secret = KEYS.values()
        super().__init__("lab.test", access_key=access, secret_key=secret)
        self._zone = zone
        self.proved: list[str] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        before = self.records["lab.test"]
        answer = super().answer(method, target, headers, body)
        after = self.records["lab.test"]
        for name, kind in after.keys() - before.keys():
            self.proved.append(name)
            for value in after[name, kind]:
                self._zone.note(name.rstrip("."), value.strip('"'))
        for name, _kind in before.keys() - after.keys():
            self._zone.forget(name.rstrip("."))
        return answer


@contextmanager
def asking_at(lab: Lab, url: str) -> Iterator[None]:
    """Let cert-manager take the service at a URL for Route 53, and keep Flux from putting that right."""
    suspend = ("patch", "helmrelease", "-n=cert-manager", "cert-manager", "--type=merge", "--patch")
    lab.kubectl(*suspend, '{"spec":{"suspend":true}}')
    try:
        lab.kubectl("set", "env", *CERT_MANAGER, f"AWS_ENDPOINT_URL_ROUTE_53={url}")
        lab.kubectl("rollout", "status", *CERT_MANAGER)
        yield
    finally:
        lab.kubectl("set", "env", *CERT_MANAGER, "AWS_ENDPOINT_URL_ROUTE_53-")
        lab.kubectl("rollout", "status", *CERT_MANAGER)
        lab.kubectl(*suspend, '{"spec":{"suspend":false}}')


@pytest.fixture
def service(installed: Lab) -> Iterator[Published]:
    made = Published(Zone(installed))
    with served(made, installed.facts["machine_address"]) as url, asking_at(installed, url):
        yield made


def test_a_domain_is_proved_in_route_53(installed: Lab, service: Published) -> None:
    site = Site(
        mastodon_local_domain=DOMAIN,
        cert_manager_acme_solver="route53",
        cert_manager_acme_server=installed.facts["acme_directory"],
        cert_manager_acme_ca=Path(installed.facts["acme_ca_file"]).read_text(),
    )
    found = site.objects("cert_manager") | site.objects("gateway")
    # As External Secrets would make it of what is in Vault.
    metadata = {"name": "aws-lab-test-acme-dns", "namespace": SPACE}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": KEYS}
    objects = [secret, found["Issuer aws-lab-test-acme"], found["Certificate aws-lab-test-tls"]]
    apply(installed, *objects)
    try:
        wait_ready(installed, "certificate", SPACE, "aws-lab-test-tls")
    finally:
        for item in reversed(objects):
            installed.kubectl("delete", item["kind"].lower(), f"-n={SPACE}", item["metadata"]["name"])
    assert service.proved == [f"_acme-challenge.{DOMAIN}."]
    # And nothing of it is left.
    assert service.records["lab.test"] == {}
