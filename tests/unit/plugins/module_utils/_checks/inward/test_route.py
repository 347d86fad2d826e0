# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: routes, the Gateway and its listeners."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import causes, inbox

from .behind import ADDRESS, GATEWAY, HOST, MEDIA, Behind, said
from .findings import (
    INBOX,
    NO_ROUTE,
    NOBODY,
    NOWHERE,
    SILENT,
    WRONG_NAME,
    annotate,
    cause,
    condition,
    proved,
    scaled_to_nothing,
)


def test_a_host_that_no_route_names_is_told_apart_from_one_that_is_only_redirected(behind: Behind) -> None:
    behind.remove("HTTPRoute mastodon/web")
    proved(behind, NO_ROUTE, f"no HTTPRoute on a listener with TLS names {HOST}", "kubectl get httproute -A")


def test_a_route_on_another_gateway_is_named(behind: Behind) -> None:
    def move(item: Any) -> None:
        # Traefik leaves what it said of the former parent.
        item["spec"]["parentRefs"][0]["name"] = "another"

    behind.change("HTTPRoute mastodon/web", move)
    why = f"HTTPRoute mastodon/web, which names {HOST}, is on Gateway edge/another, and not on {GATEWAY}"
    proved(behind, NO_ROUTE, why, "kubectl describe httproute -n mastodon web")


def test_what_a_controller_said_of_a_former_listener_is_no_answer(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["parentRefs"][0].update(sectionName=MEDIA))
    proved(behind, NO_ROUTE, f"no controller has answered HTTPRoute mastodon/web for {GATEWAY}")


def test_a_route_of_which_the_newest_was_not_taken_yet_is_named(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["metadata"].update(generation=2))
    proved(behind, NO_ROUTE, f"{GATEWAY} has not taken what changed in HTTPRoute mastodon/web")


def test_a_listener_for_another_host_is_why_a_route_is_not_taken(behind: Behind) -> None:
    refused = said("Accepted", "False", "NoMatchingListenerHostname")
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=refused))
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"][1].update(hostname="other.example.org"))
    why = f"{GATEWAY} does not take HTTPRoute mastodon/web: NoMatchingListenerHostname"
    why += f"; of its listeners none is for {HOST}, only {HOST} for other.example.org"
    proved(behind, NO_ROUTE, why, "kubectl describe gateway -n edge shared")
    # The same where external-dns has taken the record away with the route.
    behind.leads = ()
    proved(behind, NOWHERE, why)
    assert not cause(behind, SILENT).proved


def test_a_listener_that_is_not_there_is_named(behind: Behind) -> None:
    refused = said("Accepted", "False", "NoMatchingParent")
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=refused))
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"].pop(1))
    why = f"{GATEWAY} does not take HTTPRoute mastodon/web: NoMatchingParent; it has no listener {HOST}, only http, {MEDIA}"
    proved(behind, NO_ROUTE, why)


def test_a_listener_that_takes_no_routes_of_a_namespace_is_named(behind: Behind) -> None:
    refused = said("Accepted", "False", "NotAllowedByListeners")
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=refused))
    same = {"namespaces": {"from": "Same"}}
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"][1].update(allowedRoutes=same))
    why = f"{GATEWAY} does not take HTTPRoute mastodon/web: NotAllowedByListeners"
    proved(behind, NO_ROUTE, f"{why}; listener {HOST} of {GATEWAY} takes no routes from namespace mastodon")


def test_a_gateway_that_is_not_programmed_is_a_likely_cause_behind_all_that_is_ours(behind: Behind) -> None:
    waits = said("Programmed", "False", "AddressNotAssigned", "no address could be assigned")
    behind.change("Gateway edge/shared", lambda item: item["status"]["conditions"].append(waits))
    found = cause(behind, NO_ROUTE)
    assert (found.why, found.proved) == (f"{GATEWAY} is not ready: no address could be assigned", False)
    scaled_to_nothing(behind)
    proved(behind, NOBODY, "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0")
    behind.leads = ()
    assert cause(behind, NOWHERE).why == found.why
    behind.change("Deployment external-dns/dns", lambda item: item.update(spec={"replicas": 0}, status={}))
    nowhere = f"DNS has no address of {HOST}; {GATEWAY} has {ADDRESS}"
    proved(behind, NOWHERE, f"{nowhere}; Deployment external-dns/dns, which writes it, is scaled to 0")


def test_a_gateway_that_is_not_there_is_named(behind: Behind) -> None:
    behind.remove("Gateway edge/shared")
    assert cause(behind, NO_ROUTE).why == f"{GATEWAY} does not exist"
    assert cause(behind, NO_ROUTE).next == "kubectl get gateway -A"


# https://github.com/traefik/traefik/blob/master/pkg/provider/kubernetes/gateway/kubernetes.go
OTHERS = said("Accepted", "False", "ListenersNotValid", "All Listeners must be valid")


def test_a_listener_of_others_that_is_not_well_does_not_hide_what_is_ours(behind: Behind) -> None:
    behind.change("Gateway edge/shared", lambda item: item["status"].update(conditions=[OTHERS]))
    lacking = said("ResolvedRefs", "False", "InvalidCertificateRef", "no such Secret")
    behind.change("Gateway edge/shared", condition(listener_=MEDIA, changed=lacking))
    for finding in (NO_ROUTE, NOBODY, SILENT, WRONG_NAME):
        assert "ListenersNotValid" not in cause(behind, finding).why
        assert "All Listeners" not in cause(behind, finding).why
    scaled_to_nothing(behind)
    proved(behind, NOBODY, "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0")
    behind.change("Gateway edge/shared", condition(listener_=HOST, changed=lacking))
    why = f"listener {HOST} of {GATEWAY} is not well: InvalidCertificateRef: no such Secret"
    proved(behind, NO_ROUTE, why)


def test_a_gateway_without_an_address_is_a_cause_only_where_a_record_is_missing(behind: Behind) -> None:
    behind.change("Gateway edge/shared", lambda item: item["status"].pop("addresses"))
    for finding in (NO_ROUTE, NOBODY, SILENT):
        assert cause(behind, finding) == finding.cause
    behind.leads = ()
    proved(behind, NOWHERE, f"{GATEWAY} has no address")
    annotate(behind, "external-dns.alpha.kubernetes.io/target")
    assert cause(behind, NOWHERE).why != f"{GATEWAY} has no address"


def refused_wildcard(behind: Behind, **spec: Any) -> None:
    """Let others have a route for the same domain that is not taken."""
    behind.change("HTTPRoute mastodon/web", lambda item: behind.add({**item, "metadata": {**META, "name": "wild"}}))
    behind.change("HTTPRoute other/wild", lambda item: item["spec"].update(spec))
    behind.change("HTTPRoute other/wild", condition(route="wild", changed=said("Accepted", "False", "Refused")))


META = {"name": "wild", "namespace": "other", "uid": "uid of wild", "generation": 1}


@pytest.mark.parametrize("spec", [{"hostnames": ["*.example.org"]}, {"hostnames": [HOST]}, {"hostnames": None}])
def test_a_route_of_others_that_is_not_taken_is_no_cause_where_ours_is(behind: Behind, spec: Any) -> None:
    refused_wildcard(behind, **spec)
    for finding in (NO_ROUTE, NOBODY, SILENT):
        assert cause(behind, finding) == finding.cause


def test_a_route_for_another_path_of_the_host_does_not_stand_in_for_ours(behind: Behind) -> None:
    behind.change(
        "HTTPRoute mastodon/web", lambda item: behind.add({**item, "metadata": {**META, "namespace": "mastodon"}})
    )
    solver = [{"matches": [{"path": {"type": "Exact", "value": "/.well-known/acme-challenge/a"}}]}]
    behind.change("HTTPRoute mastodon/wild", lambda item: item["spec"].update(rules=solver))
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    proved(behind, NO_ROUTE, f"{GATEWAY} does not take HTTPRoute mastodon/web: Refused")


def test_where_a_route_of_others_takes_the_host_by_a_star_ours_is_a_likely_cause(behind: Behind) -> None:
    refused_wildcard(behind, hostnames=["*.example.org"])
    behind.change("HTTPRoute other/wild", condition(route="wild", changed=said("Accepted", "True", "Accepted")))
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    same = {"namespaces": {"from": "All"}}
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"][1].update(allowedRoutes=same))
    found = cause(behind, NO_ROUTE)
    assert (found.why, found.proved) == (f"{GATEWAY} does not take HTTPRoute mastodon/web: Refused", False)


def test_a_route_without_hosts_has_those_of_its_listener(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"].pop("hostnames"))
    assert cause(behind, NO_ROUTE) == NO_ROUTE.cause
    scaled_to_nothing(behind)
    proved(behind, NOBODY, "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0")


def test_a_wildcard_on_another_gateway_is_a_likely_cause(behind: Behind) -> None:
    def move(item: Any) -> None:
        item["spec"]["hostnames"] = ["*.example.org"]
        item["spec"]["parentRefs"][0]["name"] = "another"

    behind.change("HTTPRoute mastodon/web", move)
    assert not cause(behind, NO_ROUTE).proved


def test_an_answer_that_says_who_gave_it_is_not_looked_for_in_the_cluster(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    challenged = inbox.DROPPED.at(INBOX, "403").because(causes.CHALLENGE).of("inbox")
    assert cause(behind, challenged) == causes.CHALLENGE
