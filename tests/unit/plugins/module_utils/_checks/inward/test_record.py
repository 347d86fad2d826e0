# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: DNS records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import addresses
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding

from .behind import ADDRESS, GATEWAY, HOST, MEDIA, OLD, OWNER, Behind, of
from .findings import (
    DEAD,
    EXPIRED,
    IN_FRONT,
    LIMITED,
    NO_BACKEND,
    NO_ROUTE,
    NOBODY,
    NOWHERE,
    OLD_CLUSTER,
    SILENT,
    annotate,
    cause,
    proved,
)

PRIVATE = addresses.PRIVATE.at(HOST, OLD).of("addresses")
STALE = addresses.STALE.at(HOST, f"{OLD} and not {ADDRESS}").of("addresses")
EXTRA = addresses.EXTRA.at(HOST, f"{OLD} beside {ADDRESS}").of("addresses")
ELSEWHERE = f"DNS says {OLD}; {GATEWAY} has {ADDRESS}"


@pytest.mark.parametrize("finding", [DEAD, PRIVATE, STALE])
def test_a_record_of_another_owner_is_why_all_lead_to_where_nobody_is(behind: Behind, finding: Finding) -> None:
    behind.leads = behind.dead = (OLD,)
    behind.texts = OLD_CLUSTER
    owners = f"the TXT says owner old-cluster, and this external-dns is {OWNER}"
    proved(behind, finding, f"{ELSEWHERE}; {owners}", f"dig +short TXT edns-a-{HOST}")
    # There somebody answers, such as a content delivery network.
    behind.dead = ()
    found = cause(behind, finding)
    assert (found.why, found.proved) == (f"{ELSEWHERE}; {owners}", False)


def other_gateway(behind: Behind) -> None:
    """Let the old address be that of another Gateway of the cluster."""
    status = {"addresses": [{"type": "IPAddress", "value": ADDRESS}, {"type": "IPAddress", "value": OLD}]}
    behind.add(of("gateway.networking.k8s.io/v1", "Gateway", "former/edge", status=status))


def test_a_record_that_leads_to_another_gateway_names_both(behind: Behind) -> None:
    other_gateway(behind)
    behind.leads, behind.dead = (OLD,), (OLD,)
    behind.change("Deployment external-dns/dns", lambda item: item["spec"].update(replicas=0))
    behind.change("Deployment external-dns/dns", lambda item: item.update(status={}))
    # One controller may have the same address for all of its Gateways.
    assert record.whose(behind.cluster(), [ADDRESS]) == ""
    found = cause(behind, DEAD)
    assert found.why.startswith(f"DNS says {OLD}, which Gateway former/edge has; {GATEWAY} has {ADDRESS}; ")


def test_a_certificate_that_another_gateway_shows_names_both(behind: Behind) -> None:
    other_gateway(behind)
    behind.leads, behind.served = (OLD,), behind.authority.issue(HOST, days=-1, begun=9)[0]
    there = replace(EXPIRED, subject=f"https://{HOST} at {OLD}")
    why = f"{OLD} is no address of {GATEWAY}: Gateway former/edge answers there"
    assert cause(behind, there).why == why
    # Where those of others may not be read.
    cluster = behind.cluster()
    known = {("gateway.networking.k8s.io", "Gateway", ""): MastodonError("Kubernetes", "is not permitted", "403", "")}
    cluster.known.objects.update(known)
    [found] = explained(lambda: cluster, behind.scene(), [there])
    assert found.cause
    assert (
        found.cause.why == f"{OLD} is no address of {GATEWAY}: somebody else answers there, or what is in front of it"
    )


@pytest.mark.parametrize("finding", [NO_ROUTE, NO_BACKEND, NOBODY, SILENT, LIMITED, EXTRA])
@pytest.mark.parametrize("texts", [OLD_CLUSTER, ()])
def test_a_record_that_leads_elsewhere_is_not_why_somebody_answers_there_as_he_does(
    behind: Behind, finding: Finding, texts: tuple[str, ...]
) -> None:
    behind.leads, behind.texts = (OLD,), texts
    found = cause(behind, finding)
    assert finding.cause
    assert found.why in (finding.cause.why, f"{finding.cause.why}; {IN_FRONT}", IN_FRONT)
    assert (found.next, found.proved) == (finding.cause.next, finding.cause.proved)


def test_a_record_that_nobody_owns_may_be_meant_so_and_is_not_to_be_removed(behind: Behind) -> None:
    behind.leads, behind.dead, behind.texts = (OLD,), (OLD,), ()
    found = cause(behind, DEAD)
    assert (found.why, found.proved) == (f"{ELSEWHERE}; no TXT says that external-dns {OWNER} may change it", False)
    assert found.next == f"dig {HOST}, and ask whoever wrote that record whether it is meant so."


@pytest.mark.parametrize(
    ("spec", "status", "how"),
    [({"replicas": 0}, {}, "is scaled to 0"), ({"replicas": 1}, {}, "has no pod that is ready")],
)
def test_an_external_dns_that_does_not_run_writes_nothing(behind: Behind, spec: Any, status: Any, how: str) -> None:
    behind.leads = behind.dead = (OLD,)
    behind.change("Deployment external-dns/dns", lambda item: item.update(spec=spec, status=status))
    then = "kubectl describe deployment -n external-dns dns"
    proved(behind, DEAD, f"{ELSEWHERE}; Deployment external-dns/dns, which writes it, {how}", then)
    behind.leads = ()
    nowhere = f"DNS has no address of {HOST}; {GATEWAY} has {ADDRESS}"
    proved(behind, NOWHERE, f"{nowhere}; Deployment external-dns/dns, which writes it, {how}", then)


def test_an_external_dns_that_runs_may_be_about_to_write_and_a_network_in_front_answers_for_itself(
    behind: Behind,
) -> None:
    behind.leads = (OLD,)
    found = cause(behind, DEAD)
    assert (found.why, found.proved) == (ELSEWHERE, False)
    # Of an answer it says nothing: the addresses may be those of a content delivery network.
    assert NOBODY.cause
    assert cause(behind, NOBODY) == replace(NOBODY.cause, why=f"{NOBODY.cause.why}; {IN_FRONT}")


ALPHA, PLAIN = "external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/"


@pytest.mark.parametrize(
    ("reads", "noted"), [(PLAIN, PLAIN), (ALPHA, ALPHA), ("", PLAIN), ("", ALPHA), ("dns.example.org/",) * 2]
)
def test_addresses_that_a_gateway_is_annotated_with_are_those_that_are_written(
    behind: Behind, reads: str, noted: str
) -> None:
    behind.leads = behind.dead = (OLD,)
    values = {"txtOwnerId": OWNER, **({"annotationPrefix": reads} if reads else {})}
    behind.change("HelmRelease external-dns/dns", lambda item: item["spec"].update(values=values))
    annotate(behind, f"{noted}target")
    assert cause(behind, DEAD) == DEAD.cause


def test_an_annotation_that_this_external_dns_does_not_read_changes_nothing(behind: Behind) -> None:
    behind.leads = behind.dead = (OLD,)
    values = {"txtOwnerId": OWNER, "annotationPrefix": PLAIN}
    behind.change("HelmRelease external-dns/dns", lambda item: item["spec"].update(values=values))
    annotate(behind, f"{ALPHA}target")
    assert cause(behind, DEAD).why == ELSEWHERE


def test_a_host_without_a_route_that_leads_elsewhere_is_not_of_this_cluster(behind: Behind) -> None:
    behind.leads = (OLD,)
    behind.remove("HTTPRoute mastodon/web")
    behind.change("HTTPRoute edge/redirect", lambda item: item["spec"].update(hostnames=[MEDIA]))
    assert cause(behind, NO_ROUTE) == NO_ROUTE.cause


def test_a_host_that_leads_to_another_gateway_is_not_of_this_one(behind: Behind) -> None:
    behind.leads = (OLD,)
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["parentRefs"][0].update(name="another"))
    assert cause(behind, NO_ROUTE) == NO_ROUTE.cause
    # external-dns has taken the record away with the route.
    behind.leads = ()
    why = f"HTTPRoute mastodon/web, which names {HOST}, is on Gateway edge/another, and not on {GATEWAY}"
    proved(behind, NOWHERE, why)


def test_a_host_without_a_record_and_a_route_may_be_somebody_elses(behind: Behind) -> None:
    behind.leads = ()
    behind.remove("HTTPRoute mastodon/web", "HTTPRoute edge/redirect")
    found = cause(behind, NOWHERE)
    assert (found.why, found.proved) == (f"no HTTPRoute on a listener with TLS names {HOST}", False)
