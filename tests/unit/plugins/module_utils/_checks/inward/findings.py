# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen outside, and what to expect of its cause inside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import Cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    addresses,
    causes,
    inbox,
    streaming,
    tls,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Cause, Finding

from .behind import ADDRESS, GATEWAY, HOST, OLD, Behind, of

INBOX = f"https://{HOST}/inbox"
NO_ROUTE = inbox.DROPPED.at(INBOX, "404").because(causes.NO_ROUTE).of("inbox")
NO_BACKEND = inbox.RETRIED.at(INBOX, "500").because(causes.NO_BACKEND).of("inbox")
NOBODY = inbox.RETRIED.at(INBOX, "503").because(causes.NOBODY_READY).of("inbox")
SILENT = inbox.SILENT.at(INBOX, "timed out").of("inbox")
STREAMING = (
    streaming.UNWELL.at(f"https://{HOST}/api/v1/streaming/health", "503").because(causes.NOBODY_READY).of("streaming")
)
DEAD = addresses.DEAD.at(HOST, OLD, address=OLD).of("addresses")
LIMITED = inbox.BY_SIZE.at(INBOX, "900 KiB: 413").of("inbox")
NOWHERE = addresses.NOWHERE.at(HOST).of("addresses")
WRONG_NAME = tls.WRONG_NAME.at(f"https://{HOST} at {ADDRESS}", "other.example.org", host=HOST, address=ADDRESS).of(
    "tls"
)
EXPIRED = tls.EXPIRED.at(f"https://{HOST} at {ADDRESS}", host=HOST, address=ADDRESS).of("tls")
IN_FRONT = f"{OLD} is no address of {GATEWAY}: somebody else answers there, or what is in front of it"


def cause(behind: Behind, finding: Finding) -> Cause:
    """Return the cause of a finding."""
    # What only routes show comes after it.
    explained_, *_others = explained(behind.cluster, behind.scene(), [finding])
    assert replace(explained_, cause=None) == replace(finding, cause=None)
    assert explained_.cause
    return explained_.cause


def proved(behind: Behind, finding: Finding, why: str, then: str = "") -> None:
    """Compare a cause that is proved, and what is to be done."""
    found = cause(behind, finding)
    assert (found.why, found.proved) == (why, True)
    assert then in found.next


def condition(*, route: str = "", listener_: str = "", changed: dict[str, Any]) -> Any:
    """Return what sets a condition of a route, or of a listener of a Gateway."""

    def change(item: Any) -> None:
        parents, listeners = item["status"].get("parents", []), item["status"].get("listeners", [])
        holder = parents[0] if route else next(one for one in listeners if one["name"] == listener_)
        kept = [one for one in holder["conditions"] if one["type"] != changed["type"]]
        holder["conditions"] = [*kept, changed]

    return change


def refusal(cluster: Cluster) -> str:
    """Return why a Secret cannot be read."""
    with pytest.raises(MastodonError) as caught:
        cluster.chain("edge", "tls")
    return f"{caught.value.failed}: {caught.value.why}"


OLD_CLUSTER = ("heritage=external-dns,external-dns/owner=old-cluster,external-dns/resource=httproute/a/b",)


def annotate(behind: Behind, name: str) -> None:
    """Let the Gateway ask for the old address."""
    behind.change("Gateway edge/shared", lambda item: item["metadata"].update(annotations={name: OLD}))


def without_endpoints(behind: Behind, name: str = "web") -> None:
    """Let a Service have no endpoints."""
    behind.change(f"EndpointSlice mastodon/{name}-hvg9b", lambda item: item.update(endpoints=None, ports=None))


def scaled_to_nothing(behind: Behind) -> None:
    """Let nobody run behind the web Service."""
    without_endpoints(behind)
    behind.remove("Pod mastodon/web-1")
    behind.change("Deployment mastodon/web", lambda item: item["spec"].update(replicas=0))


def policy(name: str, *rules: dict[str, Any], **selector: str) -> Any:
    """Return a policy about what comes in."""
    spec = {"podSelector": {"matchLabels": selector} if selector else {}, "policyTypes": ["Ingress"]}
    return of("networking.k8s.io/v1", "NetworkPolicy", f"mastodon/{name}", spec={**spec, "ingress": list(rules)})
