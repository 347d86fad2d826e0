# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: NetworkPolicies."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding

from .behind import ADDRESS, OLD, Behind
from .findings import NO_BACKEND, NO_ROUTE, NOBODY, SILENT, cause, policy, proved, scaled_to_nothing


def test_policies_that_let_nobody_of_the_gateway_in_are_likely_why_nobody_answers(behind: Behind) -> None:
    inside = {"from": [{"podSelector": {}}], "ports": [{"port": "http"}]}
    behind.add(policy("nothing-in"), policy("web", inside, app="web"))
    why = "NetworkPolicy mastodon/nothing-in and NetworkPolicy mastodon/web let nobody of Pod traefik/traefik-1 in"
    found = cause(behind, SILENT)
    assert (found.why, found.proved) == (f"{why} to Pod mastodon/web-1 at port http", False)
    # Not all networks hold policies.
    found = cause(behind, NOBODY)
    assert (found.why, found.proved) == (f"{why} to Pod mastodon/web-1 at port http", False)
    assert found.next == "kubectl describe networkpolicy -n mastodon nothing-in"


@pytest.mark.parametrize("leads", [(OLD,), (ADDRESS, OLD)])
@pytest.mark.parametrize("finding", [NO_ROUTE, NOBODY, NO_BACKEND])
def test_an_answer_that_may_be_of_another_than_the_gateway_proves_nothing(
    behind: Behind, finding: Finding, leads: tuple[str, ...]
) -> None:
    scaled_to_nothing(behind)
    why = "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0"
    proved(behind, finding, why)
    behind.leads = leads
    found = cause(behind, finding)
    assert (found.why, found.proved) == (why, False)


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"ports": [{"port": 3000}]},
        {"ports": [{"port": 2999, "endPort": 3001}]},
        {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
        {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "traefik"}}}]},
        {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}]},
    ],
)
def test_policies_that_let_the_gateway_in_are_no_cause(behind: Behind, rule: dict[str, Any]) -> None:
    behind.add(policy("nothing-in"), policy("web", rule, app="web"))
    assert cause(behind, SILENT) == SILENT.cause


@pytest.mark.parametrize("rule", [{"ports": [{"port": 3001}]}, {"ports": [{"port": "http", "protocol": "UDP"}]}])
def test_policies_for_other_ports_let_nobody_in(behind: Behind, rule: dict[str, Any]) -> None:
    behind.add(policy("web", rule, app="web"))
    why = "NetworkPolicy mastodon/web lets nobody of Pod traefik/traefik-1 in to Pod mastodon/web-1 at port http"
    assert cause(behind, SILENT).why == why


def test_a_gateway_on_the_network_of_its_node_is_not_what_policies_are_about(behind: Behind) -> None:
    behind.add(policy("nothing-in"))
    behind.change("Pod traefik/traefik-1", lambda item: item["spec"].update(hostNetwork=True))
    assert cause(behind, SILENT) == SILENT.cause
