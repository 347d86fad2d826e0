# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: which objects are named, what is to be done, and whether it is proved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward import record
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import Cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import (
    addresses,
    causes,
    inbox,
    media,
    records,
    streaming,
    tls,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import SpentError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Cause, Finding, fine
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.probing import Link, Probed
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline

from .behind import ADDRESS, GATEWAY, HOST, MEDIA, OLD, OWNER, Behind, listener, of, said

INBOX = f"https://{HOST}/inbox"
NO_ROUTE = inbox.DROPPED.at(INBOX, "404").because(causes.NO_ROUTE).of("inbox")
NO_BACKEND = inbox.RETRIED.at(INBOX, "500").because(causes.NO_BACKEND).of("inbox")
NOBODY = inbox.RETRIED.at(INBOX, "503").because(causes.NOBODY_READY).of("inbox")
SILENT = inbox.SILENT.at(INBOX, "timed out").of("inbox")
STREAMING = (
    streaming.UNWELL.at(f"https://{HOST}/api/v1/streaming/health", "503").because(causes.NOBODY_READY).of("streaming")
)
DEAD = addresses.DEAD.at(HOST, OLD, address=OLD).of("addresses")
PRIVATE = addresses.PRIVATE.at(HOST, OLD).of("addresses")
STALE = addresses.STALE.at(HOST, f"{OLD} and not {ADDRESS}").of("addresses")
EXTRA = addresses.EXTRA.at(HOST, f"{OLD} beside {ADDRESS}").of("addresses")
LIMITED = inbox.BY_SIZE.at(INBOX, "900 KiB: 413").of("inbox")
NOWHERE = addresses.NOWHERE.at(HOST).of("addresses")
WRONG_NAME = tls.WRONG_NAME.at(f"https://{HOST} at {ADDRESS}", "other.example.org", host=HOST, address=ADDRESS).of(
    "tls"
)
EXPIRED = tls.EXPIRED.at(f"https://{HOST} at {ADDRESS}", host=HOST, address=ADDRESS).of("tls")
IN_FRONT = f"{OLD} is no address of {GATEWAY}: somebody else answers there, or what is in front of it"
ELSEWHERE = f"DNS says {OLD}; {GATEWAY} has {ADDRESS}"


@pytest.fixture
def behind() -> Behind:
    return Behind()


def cause(behind: Behind, finding: Finding) -> Cause:
    """Return the cause of a finding."""
    [explained_] = explained(behind.cluster, behind.scene(), [finding])
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


@pytest.mark.parametrize("finding", [NO_ROUTE, NO_BACKEND, NOBODY, SILENT, STREAMING])
def test_where_nothing_is_broken_in_the_cluster_the_likely_cause_stays(behind: Behind, finding: Finding) -> None:
    assert cause(behind, finding) == finding.cause


def test_nothing_is_read_where_nothing_is_wrong_or_no_cluster_is_the_cause() -> None:
    def nobody() -> Cluster:
        raise AssertionError

    late = records.CAA_FAILS.at(HOST).of("records")
    findings = [fine(HOST, "takes connections"), late, inbox.SILENT.at("https://www.example.org/inbox").of("inbox")]
    assert explained(nobody, Behind().scene(), findings) == findings


def test_a_subject_that_is_no_address_has_no_cause_in_the_cluster_and_takes_none_from_others(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    odd = [inbox.ELSEWHERE.at(url).of("inbox") for url in ("https://[evil/inbox", f"https://{HOST}:port/inbox")]
    found = explained(behind.cluster, behind.scene(), [*odd, NO_ROUTE])
    assert found[:2] == odd
    assert found[2].cause
    assert found[2].cause.proved


def test_a_cluster_that_cannot_be_read_is_told_and_takes_nothing_away(behind: Behind) -> None:
    def refused() -> Cluster:
        raise MastodonError("Kubernetes", "cannot be reached", "connection refused", "")

    found = explained(refused, behind.scene(), [SILENT])
    assert found[0] == SILENT
    assert [str(one) for one in found[1:]] == ["The cluster: was not looked at: cannot be reached: connection refused."]


def test_what_may_not_be_read_is_told(behind: Behind) -> None:
    cluster = behind.cluster()
    behind.api.unreadable.add("HTTPRoute")
    found = explained(lambda: cluster, behind.scene(), [NO_ROUTE])
    assert found[0] == NO_ROUTE
    assert str(found[1]) == "The cluster: was not looked at: is not permitted (403): forbidden."


def test_a_kind_that_may_not_be_read_takes_no_cause_away_that_is_known_without_it(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=said("Accepted", "False", "Refused")))
    cluster = behind.cluster()
    behind.api.unreadable.add("EndpointSlice")
    media = inbox.RETRIED.at(f"https://{MEDIA}/a", "503").because(causes.NOBODY_READY).of("media")
    found = explained(lambda: cluster, behind.scene(), [media, NO_ROUTE, media])
    assert [one.cause for one in (found[0], found[2])] == [media.cause] * 2
    assert found[1].cause
    assert found[1].cause.proved
    assert [str(one) for one in found[3:]] == ["The cluster: was not looked at: is not permitted (403): forbidden."]
    assert sum(call.startswith("read EndpointSlice") for call in behind.api.calls) == 1


class Clock:
    """One that reading takes time of."""

    def __init__(self, *, taken: float) -> None:
        self.now, self.taken = 0.0, taken
        self.asked = 0

    def read(self, *_unused: object) -> str:
        """Take it, and be refused."""
        self.asked += 1
        self.now += self.taken
        raise MastodonError("Kubernetes", "cannot be reached", "no whole answer came", "")

    def limit(self) -> Deadline:
        """Return how long one look may take."""
        return Deadline(4, clock=lambda: self.now)


def refusal(cluster: Cluster) -> str:
    """Return why a Secret cannot be read."""
    with pytest.raises(MastodonError) as caught:
        cluster.chain("edge", "tls")
    return f"{caught.value.failed}: {caught.value.why}"


def test_what_one_look_had_too_little_time_for_is_read_by_the_next(behind: Behind) -> None:
    clock = Clock(taken=0.5)
    first = replace(behind.cluster(), read_chain=clock.read, limit=clock.limit())
    clock.now = 3.6
    assert refusal(first) == "cannot be reached: no whole answer came"
    assert refusal(first) == "was not asked: the time that one look may take there is over"
    second = replace(first, limit=clock.limit(), read_chain=lambda *place: behind.secrets["/".join(place)])
    assert second.chain("edge", "tls")


def test_what_was_waited_for_in_vain_is_not_waited_for_by_the_next_look(behind: Behind) -> None:
    clock = Clock(taken=4)
    first = replace(behind.cluster(), read_chain=clock.read, limit=clock.limit())
    refusal(first)
    second = replace(first, limit=clock.limit())
    assert refusal(second) == "cannot be reached: no whole answer came"
    assert clock.asked == 1


def test_services_and_secrets_are_read_once_however_many_findings_there_are(behind: Behind) -> None:
    behind.add(policy("nothing-in"))
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    asked: list[tuple[str, str]] = []

    def chain(*place: str) -> str | None:
        asked.append((place[0], place[1]))
        return behind.secrets.get("/".join(place))

    whole = behind.cluster()
    cluster = replace(whole, read_chain=chain)
    explained(lambda: cluster, behind.scene(), [EXPIRED, SILENT, NOBODY, EXPIRED])
    assert asked == [("edge", "tls")]
    reads = [call for call in behind.api.calls if call.startswith("read Service")]
    assert len(reads) == len(set(reads)) > 1


def test_where_no_time_is_left_to_ask_names_what_was_seen_stays_and_other_causes_are_found(behind: Behind) -> None:
    def spent(*_unused: str) -> Any:
        raise SpentError("the 15 s that one look may take are over")

    behind.leads = (OLD,)
    scene = behind.scene()
    scene.look_up = spent
    scene.probed |= {MEDIA: Probed(MEDIA, (Link(MEDIA, ADDRESS),))}
    behind.change("HTTPRoute mastodon/media", condition(route="media", changed=said("Accepted", "False", "Refused")))
    media = inbox.RETRIED.at(f"https://{MEDIA}/a", "404").because(causes.NO_ROUTE).of("media")
    found = explained(behind.cluster, scene, [DEAD, media])
    assert found[0] == DEAD
    assert found[1].cause
    assert found[1].cause.proved
    assert [str(one) for one in found[2:]] == [
        "The cluster: was not looked at: the 15 s that one look may take are over."
    ]


# Records


OLD_CLUSTER = ("heritage=external-dns,external-dns/owner=old-cluster,external-dns/resource=httproute/a/b",)


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


def annotate(behind: Behind, name: str) -> None:
    """Let the Gateway ask for the old address."""
    behind.change("Gateway edge/shared", lambda item: item["metadata"].update(annotations={name: OLD}))


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


# Routes, the Gateway and its listeners


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


# What changes answers on the way

REQUEST = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "X-Forwarded-Proto", "value": "http"}]},
}
LOOP = inbox.REDIRECTS.at(INBOX, "308").of("inbox")


@pytest.mark.parametrize(
    ("filter_", "said_"),
    [
        (REQUEST, "sets request header X-Forwarded-Proto"),
        (
            {
                "requestHeaderModifier": {
                    "add": [{"name": "Accept", "value": "text/html"}],
                    "remove": ["Signature", "Digest"],
                }
            },
            "adds request header Accept, removes request header Signature, removes request header Digest",
        ),
        ({"responseHeaderModifier": {"remove": ["Vary"]}}, "removes response header Vary"),
        ({"urlRewrite": {"hostname": "web.mastodon.svc"}}, "asks for host web.mastodon.svc"),
        ({"urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}}, "asks for another path"),
        ({"requestRedirect": {"scheme": "https"}}, "redirects to https://the same host"),
    ],
)
def test_what_a_route_itself_changes_is_a_likely_cause(behind: Behind, filter_: dict[str, Any], said_: str) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(filters=[filter_]))
    found = cause(behind, LOOP)
    assert (found.why, found.proved) == (f"HTTPRoute mastodon/web {said_}", False)
    assert found.next == "kubectl describe httproute -n mastodon web"
    # Streaming goes by another rule.
    assert cause(behind, STREAMING) == STREAMING.cause


def test_a_route_that_asks_for_another_host_is_named_where_mastodon_refuses_it(behind: Behind) -> None:
    change = {"backendRefs": [{"name": "web", "port": 3000, "filters": [{"urlRewrite": {"hostname": "other"}}]}]}
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(change))
    refused = inbox.DROPPED.at(INBOX, "403").because(causes.HOST_REFUSED).of("inbox")
    assert cause(behind, refused).why == "HTTPRoute mastodon/web asks for host other"
    challenged = inbox.DROPPED.at(INBOX, "403").because(causes.CHALLENGE).of("inbox")
    assert cause(behind, challenged) == causes.CHALLENGE


def test_a_route_that_leads_nowhere_comes_before_what_it_changes(behind: Behind) -> None:
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(filters=[REQUEST]))
    behind.remove("Service mastodon/web")
    assert cause(behind, NO_BACKEND).why.startswith("Service mastodon/web, which HTTPRoute mastodon/web sends to")


def test_what_rewrites_the_way_to_a_bucket_is_as_it_must_be(behind: Behind) -> None:
    change = {"filters": [{"urlRewrite": {"hostname": "store"}}]}
    behind.change("HTTPRoute mastodon/media", lambda item: item["spec"]["rules"][0].update(change))
    hidden = media.HIDDEN.at(f"https://{MEDIA}/a.png", "403").of("media")
    assert cause(behind, hidden) == hidden.cause


def test_a_redirect_to_a_host_of_ours_is_as_it_must_be(behind: Behind) -> None:
    change = {"filters": [{"requestRedirect": {"hostname": MEDIA}}]}
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(change))
    assert cause(behind, LOOP) == LOOP.cause


def test_somebody_in_front_of_the_gateway_is_added_to_what_is_likely(behind: Behind) -> None:
    behind.leads = (OLD,)
    found = cause(behind, LIMITED)
    assert LIMITED.cause
    assert found.why == f"{LIMITED.cause.why}; {IN_FRONT}"
    assert (found.next, found.proved) == (LIMITED.cause.next, False)


# Certificates


def test_a_secret_that_is_not_there_is_why_a_listener_and_its_routes_are_not_taken(behind: Behind) -> None:
    del behind.secrets["edge/tls"]
    message = 'Cannot load CertificateRef edge/tls: getting secret: secret "tls" not found'
    invalid = said("ResolvedRefs", "False", "InvalidCertificateRef", message)
    behind.change("Gateway edge/shared", condition(listener_=HOST, changed=invalid))
    refused = said("Accepted", "False", "NoMatchingParent")
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=refused))
    issue(
        behind, "pending", 'Waiting for DNS-01 challenge propagation: DNS record for "example.org" not yet propagated'
    )
    secret = (
        f"listener {HOST} of {GATEWAY} is not well: InvalidCertificateRef: {message}; Secret edge/tls does not exist"
    )
    issuing = "Certificate edge/tls is not ready: Issuing certificate as Secret does not exist; "
    issuing += "Challenge edge/tls-1-2-3: pending: Waiting for DNS-01 challenge propagation"
    found = cause(behind, NO_ROUTE)
    refusal = f"{GATEWAY} does not take HTTPRoute mastodon/web: NoMatchingParent"
    assert found.why.startswith(f"{refusal}; {secret}; {issuing}")
    assert found.next == "kubectl describe challenge -n edge tls-1-2-3"
    # Others are shown a default certificate.
    assert cause(behind, WRONG_NAME).why.startswith(f"{secret}; {issuing}")


def issue(behind: Behind, state: str, reason: str) -> None:
    """Let a certificate be on its way, as far as a challenge."""
    waits = said("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist")
    behind.change("Certificate edge/tls", lambda item: item.update(status={"conditions": [waits]}))
    for name, owner, version, status in (
        ("CertificateRequest edge/tls-1", "Certificate edge/tls", "cert-manager.io/v1", {}),
        ("Order edge/tls-1-2", "CertificateRequest edge/tls-1", "acme.cert-manager.io/v1", {"state": "pending"}),
        (
            "Challenge edge/tls-1-2-3",
            "Order edge/tls-1-2",
            "acme.cert-manager.io/v1",
            {"state": state, "reason": reason},
        ),
    ):
        owners = {"ownerReferences": [{"uid": f"uid of {owner}"}]}
        behind.add(of(version, *name.split(" "), metadata=owners, status=status))


def test_a_renewal_that_is_stuck_is_followed_to_its_order(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    issue(behind, "valid", "")
    limited = {"state": "errored", "reason": "429 urn:ietf:params:acme:error:rateLimited: too many certificates"}
    behind.change("Order edge/tls-1-2", lambda item: item.update(status=limited))
    why = "Secret edge/tls has that certificate; Certificate edge/tls is not ready: Issuing certificate as Secret does not exist; "
    why += "Order edge/tls-1-2: errored: 429 urn:ietf:params:acme:error:rateLimited: too many certificates"
    proved(behind, EXPIRED, why, "kubectl describe order -n edge tls-1-2")


def test_a_challenge_whose_route_no_listener_takes_is_followed_to_that_route(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    issue(behind, "pending", "Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'")
    owner = {"ownerReferences": [{"uid": "uid of Challenge edge/tls-1-2-3"}]}
    refused = [said("Accepted", "False", "NotAllowedByListeners")]
    parents = [{"parentRef": {"name": "shared"}, "conditions": refused}]
    behind.add(
        of(
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            "edge/solver",
            metadata=owner,
            spec={"hostnames": [HOST], "parentRefs": [{"name": "shared", "sectionName": "http"}]},
            status={"parents": parents},
        )
    )
    why = "Secret edge/tls has that certificate; Certificate edge/tls is not ready: Issuing certificate as Secret does not exist; "
    why += "Challenge edge/tls-1-2-3: pending: Waiting for HTTP-01 challenge propagation: wrong status code '404', expected '200'; "
    why += "HTTPRoute edge/solver, which answers it, is not taken by Gateway shared: NotAllowedByListeners"
    proved(behind, EXPIRED, why, "kubectl describe httproute -n edge solver")
    refused[0]["status"] = "True"
    assert cause(behind, EXPIRED).why.endswith("wrong status code '404', expected '200'")


def test_a_gateway_that_did_not_load_the_new_certificate_is_told_by_the_serial(behind: Behind) -> None:
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    found = cause(behind, EXPIRED)
    assert found.proved
    assert found.why.startswith("it shows serial ")
    assert f" and Secret edge/tls of listener {HOST} has " in found.why
    assert found.why.endswith("; the controller of the Gateway has not loaded it")
    # Where it is not known which address the Gateway has.
    behind.change("Gateway edge/shared", lambda item: item["status"].pop("addresses"))
    found = cause(behind, EXPIRED)
    assert not found.proved
    assert found.why.endswith("not loaded it, or something else answers in front of it")


@pytest.mark.parametrize("finding", [WRONG_NAME, EXPIRED])
def test_a_certificate_at_an_address_of_others_is_likely_theirs_and_no_secret_is_blamed(
    behind: Behind, finding: Finding
) -> None:
    behind.leads, behind.served = (OLD,), behind.authority.issue("other.example.org", days=-1, begun=9)[0]
    there = replace(finding, subject=f"https://{HOST} at {OLD}")
    for texts in (behind.texts, OLD_CLUSTER, ()):
        behind.texts = texts
        found = cause(behind, there)
        why = f"{OLD} is no address of {GATEWAY}: somebody else answers there, or what is in front of it"
        assert (found.why, found.proved) == (why, False)


def test_a_certificate_of_a_secret_is_followed_at_whatever_address_it_is_shown(behind: Behind) -> None:
    behind.leads = (OLD,)
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue("other.example.org")[0]
    behind.remove("Certificate edge/tls")
    there = replace(WRONG_NAME, subject=f"https://{HOST} at {OLD}")
    proved(behind, there, "Secret edge/tls has that certificate; no Certificate writes that Secret")


def test_of_several_secrets_of_a_listener_the_one_that_is_shown_is_followed(behind: Behind) -> None:
    two = {"certificateRefs": [{"kind": "Secret", "name": "tls"}, {"kind": "Secret", "name": "tls-rsa"}]}
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"][1].update(tls=two))
    behind.secrets["edge/tls-rsa"] = behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    proved(behind, EXPIRED, "Secret edge/tls-rsa has that certificate; no Certificate writes that Secret")
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    found = cause(behind, EXPIRED)
    for name in ("tls", "tls-rsa"):
        assert f"Secret edge/{name} of listener {HOST} has " in found.why


@pytest.mark.parametrize("hostname", ["*.example.org", ""])
def test_of_several_listeners_only_the_one_that_names_the_host_is_blamed(behind: Behind, hostname: str) -> None:
    wide = {**listener(HOST), "name": "wide", "hostname": hostname}
    wide["tls"] = {"certificateRefs": [{"kind": "Secret", "name": "wide"}]}
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"].insert(1, wide))
    behind.secrets["edge/wide"] = behind.authority.issue("*.example.net")[0]
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    found = cause(behind, EXPIRED)
    assert "wide" not in found.why
    assert f"Secret edge/tls of listener {HOST} has " in found.why


def test_a_gateway_that_shows_another_certificate_than_a_secret_that_is_no_better_is_followed_on(
    behind: Behind,
) -> None:
    behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    behind.secrets["edge/tls"] = behind.authority.issue(HOST, begun=9, days=-1)[0]
    issue(behind, "invalid", "no such TXT record")
    found = cause(behind, EXPIRED)
    assert found.why.startswith("it shows serial ")
    assert found.why.endswith("; Challenge edge/tls-1-2-3: invalid: no such TXT record")


def test_a_challenge_of_another_certificate_is_no_cause(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue(HOST, begun=9, days=-1)[0]
    issue(behind, "invalid", "no such TXT record")
    others = {"ownerReferences": [{"uid": "uid of Certificate edge/another"}]}
    behind.change("CertificateRequest edge/tls-1", lambda item: item["metadata"].update(others))
    why = "Certificate edge/tls is not ready: Issuing certificate as Secret does not exist"
    proved(behind, EXPIRED, f"Secret edge/tls has that certificate; {why}", "kubectl describe certificate -n edge tls")


def test_a_secret_that_no_certificate_writes_is_named(behind: Behind) -> None:
    other = {"certificateRefs": [{"kind": "Secret", "name": "by-hand"}]}
    behind.secrets["edge/by-hand"] = behind.served = behind.authority.issue("other.example.org")[0]
    behind.change("Gateway edge/shared", lambda item: item["spec"]["listeners"][1].update(tls=other))
    why = "Secret edge/by-hand has that certificate; no Certificate writes that Secret"
    proved(behind, WRONG_NAME, why, "kubectl get certificate -n edge")


def test_a_secret_that_somebody_wrote_who_vouches_for_himself_is_named(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue(HOST)[0]
    behind.remove("Certificate edge/tls")
    alone = tls.DEFAULT.at(f"https://{HOST} at {ADDRESS}", host=HOST, address=ADDRESS).of("tls")
    proved(behind, alone, "Secret edge/tls has that certificate; no Certificate writes that Secret")


def test_two_certificates_of_one_secret_are_named(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue("other.example.org")[0]
    behind.add(of("cert-manager.io/v1", "Certificate", "edge/more", spec={"secretName": "tls", "dnsNames": [HOST]}))
    both = "Certificate edge/tls and Certificate edge/more both write that Secret"
    proved(behind, WRONG_NAME, f"Secret edge/tls has that certificate; {both}")


def test_a_certificate_without_the_host_is_named(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue(MEDIA)[0]
    behind.change("Certificate edge/tls", lambda item: item["spec"].update(dnsNames=[MEDIA]))
    why = f"Secret edge/tls has that certificate; Certificate edge/tls is not for {HOST}, only for {MEDIA}"
    proved(behind, WRONG_NAME, why, "kubectl describe certificate -n edge tls")


def test_a_certificate_that_takes_a_wrong_secret_for_right_is_named(behind: Behind) -> None:
    behind.secrets["edge/tls"] = behind.served = behind.authority.issue("other.example.org")[0]
    has = "Certificate edge/tls takes it for up to date, and the Secret has one of CN=Some CA"
    proved(behind, WRONG_NAME, f"Secret edge/tls has that certificate; {has}")


def test_a_listener_that_conflicts_is_named(behind: Behind) -> None:
    conflict = said("Conflicted", "True", "HostnameConflict", "another listener has it")
    behind.change("Gateway edge/shared", condition(listener_=HOST, changed=conflict))
    proved(behind, WRONG_NAME, f"listener {HOST} of {GATEWAY} is not well: HostnameConflict: another listener has it")


# Services and pods


def test_a_service_that_is_not_there_is_named_with_the_route(behind: Behind) -> None:
    behind.change(
        "HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1]["backendRefs"][0].update(name="renamed")
    )
    message = 'Cannot load HTTPBackendRef mastodon/renamed: getting service: service "renamed" not found'
    unresolved = said("ResolvedRefs", "False", "BackendNotFound", message)
    behind.change("HTTPRoute mastodon/web", condition(route="web", changed=unresolved))
    why = "HTTPRoute mastodon/web: BackendNotFound; Service mastodon/renamed, which HTTPRoute mastodon/web sends to, does not exist"
    proved(behind, NO_BACKEND, why, "kubectl get service -n mastodon")


def test_a_service_without_the_port_is_named(behind: Behind) -> None:
    behind.change("Service mastodon/web", lambda item: item["spec"]["ports"][0].update(port=80))
    proved(behind, NO_BACKEND, "Service mastodon/web has no port 3000", "kubectl describe service -n mastodon web")


def without_endpoints(behind: Behind, name: str = "web") -> None:
    """Let a Service have no endpoints."""
    behind.change(f"EndpointSlice mastodon/{name}-hvg9b", lambda item: item.update(endpoints=None, ports=None))


def test_a_selector_that_no_pod_has_is_named(behind: Behind) -> None:
    without_endpoints(behind)
    behind.change("Service mastodon/web", lambda item: item["spec"].update(selector={"app": "nothing"}))
    proved(behind, NOBODY, "Service mastodon/web selects pods by app=nothing, and there are none")


def scaled_to_nothing(behind: Behind) -> None:
    """Let nobody run behind the web Service."""
    without_endpoints(behind)
    behind.remove("Pod mastodon/web-1")
    behind.change("Deployment mastodon/web", lambda item: item["spec"].update(replicas=0))


def test_a_service_of_an_outer_name_has_no_endpoints_and_is_no_cause(behind: Behind) -> None:
    scaled_to_nothing(behind)
    outer = {"type": "ExternalName", "externalName": "web.example.net", "selector": None}
    behind.change("Service mastodon/web", lambda item: item["spec"].update(outer))
    assert cause(behind, NOBODY) == NOBODY.cause


def test_one_of_two_services_that_has_no_pods_is_a_likely_cause(behind: Behind) -> None:
    scaled_to_nothing(behind)
    two = [{"name": "web", "port": 3000, "weight": 1}, {"name": "web-streaming", "port": 4000, "weight": 1}]
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(backendRefs=two))
    assert not cause(behind, NOBODY).proved
    two[1]["weight"] = 0
    behind.change("HTTPRoute mastodon/web", lambda item: item["spec"]["rules"][1].update(backendRefs=two))
    assert cause(behind, NOBODY).proved


def test_a_deployment_that_is_scaled_to_nothing_is_named(behind: Behind) -> None:
    scaled_to_nothing(behind)
    why = "Service mastodon/web has no pods; Deployment mastodon/web is scaled to 0"
    proved(behind, NOBODY, why, "kubectl describe deployment -n mastodon web")


@pytest.mark.parametrize(
    ("state", "how"),
    [
        ({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}, "ImagePullBackOff: no such image"),
        ({"running": {}}, "runs and is not ready"),
    ],
)
def test_a_pod_that_is_not_ready_is_named_with_what_it_is_at(behind: Behind, state: Any, how: str) -> None:
    endpoint = {"addresses": ["10.1.0.1"], "conditions": {"ready": False}}
    behind.change("EndpointSlice mastodon/web-hvg9b", lambda item: item.update(endpoints=[endpoint]))
    status = {"phase": "Running", "containerStatuses": [{"name": "web", "ready": False, "state": state}]}
    behind.change("Pod mastodon/web-1", lambda item: item.update(status=status))
    why = f"no pod of Service mastodon/web is ready; Pod mastodon/web-1: container web: {how}"
    proved(behind, NOBODY, why, "kubectl describe pod -n mastodon web-1")


def test_only_what_the_longest_path_leads_to_is_looked_at(behind: Behind) -> None:
    without_endpoints(behind, "web-streaming")
    behind.remove("Pod mastodon/web-streaming-1")
    behind.change("Deployment mastodon/web-streaming", lambda item: item["spec"].update(replicas=0))
    assert cause(behind, NOBODY) == NOBODY.cause
    proved(
        behind,
        STREAMING,
        "Service mastodon/web-streaming has no pods; Deployment mastodon/web-streaming is scaled to 0",
    )


SIX = "2001:db8::9"


@pytest.mark.parametrize("families", [["IPv4"], ["IPv4", "IPv6"], []])
def test_a_gateway_that_says_an_address_of_a_family_that_its_service_has_not_is_named(
    behind: Behind, families: list[str]
) -> None:
    ingress = {"loadBalancer": {"ingress": [{"ip": ADDRESS}, {"ip": SIX}]}}
    behind.change("Gateway edge/shared", lambda item: item["status"]["addresses"].append({"value": SIX}))
    behind.change("Service traefik/traefik", lambda item: item.update(status=ingress))
    behind.change("Service traefik/traefik", lambda item: item["spec"].update(ipFamilies=families))
    finding = addresses.DEAD_BESIDE.at(HOST, SIX, address=SIX).of("addresses")
    behind.leads = (ADDRESS, SIX)
    if families == ["IPv4"]:
        why = f"{GATEWAY} says {SIX}, and Service traefik/traefik has IPv4 only"
        proved(behind, finding, why, "kubectl describe service -n traefik traefik")
    else:
        assert cause(behind, finding) == finding.cause


def test_a_gateway_whose_controller_does_not_run_takes_no_connections(behind: Behind) -> None:
    behind.change("EndpointSlice traefik/traefik-hvg9b", lambda item: item.update(endpoints=None))
    behind.remove("Pod traefik/traefik-1")
    behind.change("Deployment traefik/traefik", lambda item: item["spec"].update(replicas=0))
    why = "Service traefik/traefik has no pods; Deployment traefik/traefik is scaled to 0"
    at_own = addresses.DEAD.at(HOST, f"{ADDRESS}, timed out", address=ADDRESS).of("addresses")
    behind.leads = behind.dead = (ADDRESS, OLD)
    behind.texts = OLD_CLUSTER
    proved(behind, at_own, why)


# NetworkPolicies


def policy(name: str, *rules: dict[str, Any], **selector: str) -> Any:
    """Return a policy about what comes in."""
    spec = {"podSelector": {"matchLabels": selector} if selector else {}, "policyTypes": ["Ingress"]}
    return of("networking.k8s.io/v1", "NetworkPolicy", f"mastodon/{name}", spec={**spec, "ingress": list(rules)})


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


def test_odd_shapes_break_nothing(behind: Behind) -> None:
    behind.change("Gateway edge/shared", lambda item: item["spec"].update(listeners=[None, listener(HOST), {}]))
    behind.change(
        "HTTPRoute mastodon/web", lambda item: item["spec"].update(rules=[None, {}, {"matches": [{"path": 7}]}])
    )
    behind.change("EndpointSlice mastodon/web-hvg9b", lambda item: item.update(endpoints="many"))
    for finding in (NO_ROUTE, NOBODY, WRONG_NAME, DEAD):
        assert cause(behind, finding)
