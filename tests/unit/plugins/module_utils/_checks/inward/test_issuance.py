# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is seen outside to the first broken link: certificates."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import tls
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding

from .behind import ADDRESS, GATEWAY, HOST, MEDIA, OLD, Behind, listener, of, said
from .findings import EXPIRED, NO_ROUTE, OLD_CLUSTER, WRONG_NAME, cause, condition, proved


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
