# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon at IPv4 and IPv6, seen by both; and with one of them broken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from ...conftest import Lab
from ..neighbours.breaking import TOLD, Break, Fault, findings, is_traced
from ..support import external_dns_standing_still
from ..zone import DOMAIN, HAND_MADE, Zone
from .declared import SPLIT

BESIDE = "has an address that takes no connections, beside one that does"
SERVICE = ("service", "-n=traefik", "traefik")
# Run in a pod: ask at an address, a port and a path of its own.
ASK = (
    "import http.client, sys; link = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5); "
    "link.request('GET', sys.argv[3]); print(link.getresponse().status)"
)


def nobody(lab: Lab) -> str:
    """Return an address beside the Gateway's second one, at which nobody is."""
    _first, second = lab.facts["gateway_addresses"]
    return f"{second.rpartition(':')[0]}:99"


def instead(kind: str, address: str = "") -> Break:
    """Return what lets the record of one family lead to where nobody is."""

    def broken(stack: ExitStack, lab: Lab) -> None:
        stack.enter_context(external_dns_standing_still(lab))
        stack.enter_context(Zone(lab).instead(DOMAIN, kind, address or nobody(lab)))

    return broken


def only_ipv4(stack: ExitStack, lab: Lab) -> None:
    """Let nobody listen at the second address that the Gateway says."""

    def patch(policy: str) -> None:
        change = json.dumps({"spec": {"ipFamilyPolicy": policy}})
        lab.kubectl("patch", *SERVICE, "--type=merge", f"--patch={change}")

    stack.callback(patch, "PreferDualStack")
    patch("SingleStack")


BROKEN: Mapping[str, Fault] = {
    "an AAAA record that points at nothing": Fault(instead("AAAA"), DOMAIN, "SOME", BESIDE, f"; {TOLD} has "),
    "an A record that points at nothing": Fault(
        instead("A", HAND_MADE), DOMAIN, "SOME", BESIDE, f"DNS says {HAND_MADE}, fd6c:"
    ),
    "a Gateway that listens on IPv4 only": Fault(
        only_ipv4, DOMAIN, "SOME", BESIDE, ", and Service traefik/traefik has IPv4 only"
    ),
}


def test_both_are_written_to_dns_and_seen_as_well(split: Lab) -> None:
    zone, (four, six) = Zone(split), split.facts["gateway_addresses"]
    assert (zone.texts(DOMAIN, "A"), zone.texts(DOMAIN, "AAAA")) == ([four], [six])
    found = findings(split, **SPLIT)
    assert [one for one in found if one["verdict"] in ("LOST", "CUT", "SOME", "cannot tell")] == []
    for address in (four, six):
        at = [one["check"] for one in found if one["verdict"] == "fine" and one["subject"].endswith(f" {address}")]
        assert "tls" in at


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_of_one_family_is_named_with_its_cause(split: Lab, name: str) -> None:
    is_traced(split, BROKEN[name], **SPLIT)


@pytest.mark.parametrize(
    ("part", "port", "path"), [("web", 3000, "/health"), ("streaming", 4000, "/api/v1/streaming/health")]
)
def test_pods_answer_by_both_as_their_services_lead_there_by_both(split: Lab, part: str, port: int, path: str) -> None:
    assert split.get("service", "-n=mastodon", f"mastodon-{part}")["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    (pod,) = split.get("pods", "-n=mastodon", f"--selector=app.kubernetes.io/component={part}")["items"]
    own = [one["ip"] for one in pod["status"]["podIPs"]]
    slices = split.get("endpointslices", "-n=mastodon", f"--selector=kubernetes.io/service-name=mastodon-{part}")
    ready = [end for one in slices["items"] for end in one["endpoints"] if end["conditions"]["ready"]]
    assert sorted(address for end in ready for address in end["addresses"]) == sorted(own)
    within = ("exec", "-n=mastodon", pod["metadata"]["name"], "--", "python3", "-c", ASK)
    assert [split.kubectl(*within, address, str(port), path).strip() for address in own] == ["200", "200"]
