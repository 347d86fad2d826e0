# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is applied around the chart, and the traps of the chart that are handled there."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from .conftest import ROOT, Site

# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
OURS = {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": "mastodon"}


def objects(**settings: Any) -> dict[str, Any]:
    return Site(**settings).objects("mastodon")


def values(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = objects(**settings)["HelmRelease mastodon"]["spec"]["values"]
    return found


def named(found: dict[str, Any], kind: str) -> list[str]:
    return sorted(name.partition(" ")[2] for name in found if name.startswith(f"{kind} "))


def test_what_runs_once_has_no_budget_and_what_runs_twice_may_lose_one_pod() -> None:
    assert named(objects(mastodon_size="small"), "PodDisruptionBudget") == []
    found = objects(mastodon_size="medium")
    assert named(found, "PodDisruptionBudget") == ["mastodon-sidekiq-queues", "mastodon-streaming", "mastodon-web"]
    budget = found["PodDisruptionBudget mastodon-web"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": {**OURS, "app.kubernetes.io/component": "web"}}}


def patched(name: str, **settings: Any) -> list[Any]:
    """What Flux changes of a Deployment that the chart renders."""
    spec = objects(**settings)["HelmRelease mastodon"]["spec"]
    rendered = [one for some in spec["postRenderers"] for one in some["kustomize"]["patches"]]
    assert {one["target"]["name"] for one in rendered} == {"mastodon-web", "mastodon-streaming"}
    return [json.loads(one["patch"]) for one in rendered if one["target"] == {"kind": "Deployment", "name": name}]


def patches(**settings: Any) -> list[Any]:
    """What Flux changes of web, beside how its pods end."""
    return patched("mastodon-web", **settings)[1:]


@pytest.mark.parametrize("part", ["web", "streaming"])
def test_a_pod_that_ends_serves_on_until_the_gateway_knows_it(part: str) -> None:
    [container] = patched(f"mastodon-{part}", mastodon_size="small")[0]["spec"]["template"]["spec"]["containers"]
    # Less than the half minute after which it is killed.
    assert container == {"name": f"mastodon-{part}", "lifecycle": {"preStop": {"exec": {"command": ["sleep", "10"]}}}}


def test_web_pods_scale_where_the_size_says_so_and_no_upgrade_puts_their_number_back() -> None:
    assert named(objects(mastodon_size="small"), "HorizontalPodAutoscaler") == []
    assert patches(mastodon_size="small") == []
    large: dict[str, Any] = {"mastodon_size": "large", "mastodon_web_max_replicas": 6}
    scaler = objects(**large)["HorizontalPodAutoscaler mastodon-web"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (4, 6)
    assert patches(**large) == [[{"op": "remove", "path": "/spec/replicas"}]]


@pytest.mark.parametrize("name", ["mastodon", "second-mastodon", "other"])
def test_policies_select_only_pods_of_this_release(name: str) -> None:
    found = objects(mastodon_name=name, mastodon_size="large")
    policies = named(found, "NetworkPolicy")
    assert len(policies) == 7
    for policy in policies:
        selector = found[f"NetworkPolicy {policy}"]["spec"]["podSelector"]["matchLabels"]
        assert selector["app.kubernetes.io/instance"] == name
        assert selector["app.kubernetes.io/component"]
        assert found[f"NetworkPolicy {policy}"]["spec"]["policyTypes"] == ["Ingress"]


def test_policies_open_what_is_served_and_nothing_of_sidekiq() -> None:
    found = objects()
    opened = {
        policy: [
            entry["port"]
            for rule in found[f"NetworkPolicy {policy}"]["spec"].get("ingress", [])
            for entry in rule["ports"]
        ]
        for policy in named(found, "NetworkPolicy")
    }
    assert opened == {"mastodon-web": [3000], "mastodon-streaming": [4000], "mastodon-sidekiq-all-queues": []}
    assert named(objects(mastodon_network_policies=False), "NetworkPolicy") == []


def test_metrics_are_asked_for_only_where_somebody_collects_them() -> None:
    assert named(objects(), "PodMonitor") == []
    assert values()["mastodon"]["metrics"]["prometheus"]["enabled"] is False
    found = objects(mastodon_monitoring=True)
    assert found["PodMonitor mastodon"]["spec"]["selector"]["matchLabels"] == OURS
    assert found["HelmRelease mastodon"]["spec"]["values"]["mastodon"]["metrics"]["prometheus"]["enabled"] is True
    assert {"port": 9394, "protocol": "TCP"} in found["NetworkPolicy mastodon-web"]["spec"]["ingress"][0]["ports"]


def test_the_exporter_is_as_podsecurity_restricted_wants_it_too() -> None:
    [patch] = patches(mastodon_monitoring=True)
    # Kustomize puts what a patch names first, and commands without a container's name go to the first.
    assert patch["spec"]["template"]["spec"]["containers"] == [
        {"name": "mastodon-web"},
        {"name": "prometheus-exporter", "securityContext": RESTRICTED},
    ]
    both = patches(mastodon_monitoring=True, mastodon_size="large", mastodon_web_max_replicas=6)
    assert len(both) == 2


def test_old_media_are_removed_by_jobs_that_have_what_the_app_has() -> None:
    found = objects(mastodon_media_retention_days=3)
    spec = found["CronJob mastodon-media-remove"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["command"] == ["tootctl", "media", "remove", "--days", "3"]
    assert container["image"] == "ghcr.io/mastodon/mastodon:v4.7.4"
    assert container["envFrom"] == [{"configMapRef": {"name": "mastodon-env"}}]
    assert {one["name"] for one in container["env"]} >= {"DB_PASS", "REDIS_PASSWORD", "AWS_SECRET_ACCESS_KEY"}
    written = {one["name"] for one in container["env"] if "valueFrom" not in one}
    assert not [name for name in written if "PASS" in name or "KEY" in name], "a secret would be written out"
    assert container["securityContext"] == RESTRICTED
    assert named(found, "CronJob") == ["mastodon-media-remove", "mastodon-preview-cards-remove"]
    assert named(objects(mastodon_media_retention_days=0), "CronJob") == ["mastodon-preview-cards-remove"]


def test_while_it_is_upgraded_the_jobs_of_schedules_stand_still_before_flux_begins() -> None:
    paused, usual = objects(mastodon_paused=True), objects()
    annotation = "config.kubernetes.io/depends-on"
    jobs = named(paused, "CronJob")
    assert jobs == named(usual, "CronJob")
    for name in jobs:
        still, running = paused[f"CronJob {name}"], usual[f"CronJob {name}"]
        assert still["spec"] == {**running["spec"], "suspend": True}
        assert "annotations" not in still["metadata"]
        assert running["metadata"]["annotations"][annotation].endswith("/HelmRelease/mastodon")
    release, before = paused["HelmRelease mastodon"], usual["HelmRelease mastodon"]
    waits_for = [f"batch/namespaces/mastodon/CronJob/{name}" for name in jobs]
    assert release["metadata"]["annotations"][annotation].split(",") == [
        *before["metadata"]["annotations"][annotation].split(","),
        *waits_for,
    ]
    assert release["spec"] == before["spec"]


OF_PODS: dict[str, Any] = {
    "imagePullSecrets": [{"name": "registry"}],
    "image": {"repository": "registry.example.org/mastodon", "pullPolicy": "Always"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "mastodon", "operator": "Exists"}],
    "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["db"]}],
    "podLabels": {"egress": "yes"},
    "mastodon": {
        "extraEnvFrom": "more",
        "sidekiq": {"nodeSelector": {"disk": "slow"}, "extraEnvVars": {"DB_SSLMODE": "prefer"}},
    },
    "redis": {"sidekiq": {"enabled": True, "hostname": "queue", "existingSecret": "queue-login"}},
    "postgresql": {"readReplica": {"hostname": "replica", "existingSecret": "replica-login"}},
}


def test_jobs_of_ours_get_what_mastodon_values_give_the_charts_pods() -> None:
    found = objects(mastodon_values=OF_PODS)
    for name in named(found, "CronJob"):
        template = found[f"CronJob {name}"]["spec"]["jobTemplate"]["spec"]["template"]
        pod = template["spec"]
        [container] = pod["containers"]
        assert template["metadata"]["labels"] == {"egress": "yes"}
        assert {key: pod[key] for key in ("imagePullSecrets", "tolerations", "hostAliases")} == {
            key: OF_PODS[key] for key in ("imagePullSecrets", "tolerations", "hostAliases")
        }
        assert pod["nodeSelector"] == {"disk": "slow"}, "they do what Sidekiq's pods do"
        assert pod["serviceAccountName"] == "mastodon"
        assert (container["image"], container["imagePullPolicy"]) == ("registry.example.org/mastodon:v4.7.4", "Always")
        assert [one["configMapRef"]["name"] for one in container["envFrom"]] == ["mastodon-env", "more"]
        env = {one["name"]: one.get("value") or one["valueFrom"]["secretKeyRef"] for one in container["env"]}
        assert env["SIDEKIQ_REDIS_PASSWORD"] == {"name": "queue-login", "key": "password"}
        assert env["REPLICA_DB_USER"] == {"name": "replica-login", "key": "username"}
        assert env["DB_SSLMODE"] == "prefer"


def test_secrets_that_mastodon_values_name_are_recognised_once_each() -> None:
    shared = {"redis": {"cache": {"enabled": True, "existingSecret": "mastodon-redis"}}}
    names = [one["name"] for one in Site(mastodon_values={**OF_PODS, **shared}).value("mastodon_used_secrets")]
    assert names.count("mastodon-redis") == 1
    names = [one["name"] for one in Site(mastodon_values=OF_PODS).value("mastodon_used_secrets")]
    assert {"queue-login", "replica-login"} <= set(names)


def test_a_media_host_leads_to_a_bucket_inside_the_cluster_to_be_read_only() -> None:
    for outside in ("https://s3.example.org", "http://s3.store.svcs.example.org", "https://s3.store.svc"):
        settings = {"gateway_media_hostname": "media.example.org", "rook_external_endpoint": outside}
        assert "HTTPRoute mastodon-media" not in objects(**settings)
    found = objects(gateway_media_hostname="media.example.org", rook_external_endpoint="http://s3.store.svc:8333")
    route = found["HTTPRoute mastodon-media"]
    assert route["metadata"]["namespace"] == "mastodon", "listeners may take routes of chosen namespaces only"
    grant = found["ReferenceGrant mastodon-media"]
    assert grant["metadata"]["namespace"] == "store"
    assert grant["spec"]["to"] == [{"group": "", "kind": "Service", "name": "s3"}]
    for rule, method in zip(route["spec"]["rules"], ("GET", "HEAD"), strict=True):
        # More than one match is refused by the API server beside a rewritten prefix.
        assert rule["matches"] == [{"method": method, "path": {"type": "PathPrefix", "value": "/"}}]
        rewrite = rule["filters"][0]["urlRewrite"]
        assert rewrite["path"] == {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/mastodon"}
        assert rule["backendRefs"] == [{"name": "s3", "namespace": "store", "port": 8333}]
    s3 = found["HelmRelease mastodon"]["spec"]["values"]["mastodon"]["s3"]
    # The host is behind the Gateway's TLS, whatever the bucket is behind.
    assert (s3["aliasHost"], s3["protocol"], s3["endpoint"]) == (
        "media.example.org",
        "https",
        "http://s3.store.svc:8333",
    )


def test_the_split_domain_redirect_keeps_path_and_query() -> None:
    route = objects(mastodon_web_domain="social.example.org")["HTTPRoute mastodon-well-known"]["spec"]
    assert route["hostnames"] == ["example.org"]
    # What some controllers answer a redirect with is made of the filters before it.
    headers, redirect = route["rules"][0]["filters"]
    # No path: a redirect without one keeps path and query.
    assert redirect["requestRedirect"] == {"scheme": "https", "hostname": "social.example.org", "statusCode": 301}
    assert headers["responseHeaderModifier"]["set"] == [{"name": "Access-Control-Allow-Origin", "value": "*"}]
    assert "HTTPRoute mastodon-well-known" not in objects()


def test_no_controller_cuts_what_takes_longer_than_its_own_timeout() -> None:
    # Envoy Gateway's is 15 s: https://gateway.envoyproxy.io/docs/tasks/traffic/http-timeouts/
    found = objects(
        mastodon_web_domain="social.example.org",
        gateway_media_hostname="media.example.org",
        rook_external_endpoint="http://s3.store.svc:8333",
    )
    rules = [rule for item in found.values() if item["kind"] == "HTTPRoute" for rule in item["spec"]["rules"]]
    served = [rule for rule in rules if "backendRefs" in rule]
    assert [rule["timeouts"]["request"] for rule in served] == ["0s", "120s", "0s", "0s"]


def test_mastodon_listens_at_the_family_by_which_pods_are_asked() -> None:
    def variables(**found: Any) -> list[Any]:
        values = objects(mastodon_launch={"annotations": {}, **found})["HelmRelease mastodon"]["spec"]["values"][
            "mastodon"
        ]
        return [values[part]["extraEnvVars"].get("BIND") for part in ("web", "streaming")]

    assert variables(ipv6=True) == ["[::]", "::"]
    assert variables(ipv6=False) == variables() == [None, None]


def test_who_comes_by_ipv4_to_a_socket_of_both_families_is_trusted_as_before() -> None:
    def trusted(ipv6: bool, *proxies: str) -> str:
        found = objects(mastodon_launch={"annotations": {}, "ipv6": ipv6}, mastodon_trusted_proxies=list(proxies))
        return str(found["HelmRelease mastodon"]["spec"]["values"]["mastodon"]["trustedProxyIp"])

    assert trusted(False) == ""
    assert trusted(False, "192.0.2.0/24", "2001:db8::/32") == "192.0.2.0/24,2001:db8::/32"
    assert trusted(True, "192.0.2.0/24", "192.0.2.7", "2001:db8::/32") == (
        "192.0.2.0/24,::ffff:192.0.2.0/120,192.0.2.7,::ffff:192.0.2.7/128,2001:db8::/32"
    )
    networks = [ipaddress.ip_network(one) for one in trusted(True).split(",")]
    for address in ("10.42.0.5", "172.20.1.1", "192.168.7.7", "127.0.0.1"):
        for one in (address, f"::ffff:{address}"):
            assert any(ipaddress.ip_address(one) in network for network in networks)
    for one in ("::1", "fd00::1"):
        assert any(ipaddress.ip_address(one) in network for network in networks)
    for one in ("203.0.113.9", "::ffff:203.0.113.9", "::ffff:172.32.0.1", "2001:db8::1"):
        assert not any(ipaddress.ip_address(one) in network for network in networks)


def test_a_bare_domain_of_another_web_site_is_left_to_it() -> None:
    settings = {"mastodon_web_domain": "social.example.org", "gateway_local_domain": False}
    site = Site(**settings)
    assert [name for name in site.objects("mastodon") if "HTTPRoute" in name] == ["HTTPRoute mastodon"]
    edge = site.objects("gateway")
    assert {one["name"] for one in edge["Gateway shared-gateway-external"]["spec"]["listeners"]} == {
        "http",
        "social.example.org",
    }
    assert edge["Certificate example-org-tls"]["spec"]["dnsNames"] == ["social.example.org"]
    assert edge["HTTPRoute example-org-tls-redirect"]["spec"]["hostnames"] == ["social.example.org"]
    assert site.tasks("external_dns", "records.yml")["Check the DNS records of the routes"][
        "fediverse.mastodon.dns_check"
    ]["names"] == ["social.example.org"]


# The traps of the chart, by their numbers in roles/mastodon/README.md; what is a setting's is in test_chart_values.py.


def held(value: Any) -> set[str]:
    """Return the names of all Secrets that chart values or an environment name."""
    if isinstance(value, list):
        return {name for item in value for name in held(item)}
    if not isinstance(value, dict):
        return set()
    ours = {value["existingSecret"]} if value.get("existingSecret") else set()
    ours |= {value["secretKeyRef"]["name"]} if "secretKeyRef" in value else set()
    return ours | {name for item in value.values() for name in held(item)}


@pytest.mark.parametrize("settings", [{}, {"mastodon_name": "other"}, {"rook_backend": "rook", "cnpg_pooler": True}])
def test_every_secret_of_the_pods_is_among_those_that_are_recognised(settings: dict[str, Any]) -> None:
    site = Site(**settings)
    recognised = {one["name"] for one in site.value("mastodon_used_secrets")}
    jobs = [one for name, one in site.objects("mastodon").items() if name.startswith("CronJob ")]
    assert recognised == held(site.value("mastodon_base_values"))
    assert recognised > {name for job in jobs for name in held(job)}


def test_a_secret_that_holds_nothing_is_not_recognised() -> None:
    names = {one["name"] for one in Site(mastodon_smtp_login=False).value("mastodon_used_secrets")}
    assert not [name for name in names if "smtp" in name]


def test_what_a_secret_will_hold_is_what_is_recognised_before_it_is_made() -> None:
    site = Site()
    found = {**site.objects("mastodon"), **site.objects("dragonfly"), **site.objects("external_dns")}
    predicted = [
        *(one for one in site.value("mastodon_used_secrets") if one["name"] in ("mastodon-app", "mastodon-smtp")),
        {"name": "mastodon-redis", "path": site.value("dragonfly_vault_path"), "keys": ["password"]},
        {
            "name": "external-dns-mastodon",
            "path": site.value("external_dns_vault_path"),
            "keys": site.value("external_dns_keys"),
        },
    ]
    for one in predicted:
        spec = found[f"ExternalSecret {one['name']}"]["spec"]
        assert "template" not in spec["target"]
        assert {entry["secretKey"]: entry["remoteRef"] for entry in spec["data"]} == {
            key: {"key": one["path"], "property": key} for key in one["keys"]
        }


@pytest.mark.parametrize(
    ("settings", "tls", "starttls"),
    [
        ({"mastodon_smtp_port": 25}, False, "always"),
        ({"mastodon_smtp_port": 25, "mastodon_smtp_login": False}, False, "auto"),
        ({"mastodon_smtp_port": 465}, True, "never"),
        ({"mastodon_smtp_port": "465"}, True, "never"),
        ({"mastodon_smtp_port": 465, "mastodon_smtp_login": False}, True, "never"),
        ({"mastodon_smtp_port": 587}, False, "always"),
        ({"mastodon_smtp_port": 587, "mastodon_smtp_login": False}, False, "always"),
        ({"mastodon_values": {"mastodon": {"smtp": {"tls": True}}}}, True, "never"),
        ({"mastodon_values": {"mastodon": {"smtp": {"enableStartTls": "auto"}}}}, False, "auto"),
        ({"mastodon_smtp_port": 465, "mastodon_values": {"mastodon": {"smtp": {"tls": False}}}}, False, "always"),
        (
            {"mastodon_smtp_port": 465, "mastodon_values": {"mastodon": {"smtp": {"enableStartTls": "auto"}}}},
            False,
            "auto",
        ),
    ],
)
def test_mail_is_encrypted_from_the_start_or_by_starttls_and_never_both(
    settings: dict[str, Any], tls: bool, starttls: str
) -> None:
    smtp = values(**settings)["mastodon"]["smtp"]
    assert (smtp["tls"], smtp["enableStartTls"]) == (tls, starttls)
    asked = Site(**settings).value("doctor_smtp")
    assert (asked["tls"], asked["starttls"]) == (tls, starttls), "the doctor asks as Mastodon will"


@pytest.mark.parametrize(
    ("settings", "without"),
    [
        ({"rook_access": {"acl": True}}, False),
        ({"rook_access": {"acl": False}}, True),
        ({"rook_access": {"acl": None}}, False),
        ({"mastodon_asked_bucket": {"acl": False}}, True),
        ({"mastodon_asked_bucket": {"acl": False}, "rook_access": {"acl": None}}, True),
        ({"mastodon_asked_bucket": {"skipped": True}, "rook_access": {"acl": False}}, True),
        ({"rook_access_before": {"acl": False}, "rook_access": {"skipped": True}}, True),
        ({"rook_access_before": {"acl": True}, "rook_access": {"skipped": True}}, False),
        ({}, False),
        ({"rook_anonymous_read": False}, True),
        ({"rook_anonymous_read": False, "rook_access": {"acl": False}}, True),
    ],
)
def test_mastodon_gives_no_acls_where_the_bucket_takes_none(settings: dict[str, Any], without: bool) -> None:
    environment = values(**settings)["mastodon"]["extraEnvVars"]
    # Only a text that is there and empty says so to Mastodon.
    assert environment.get("S3_PERMISSION") == ("" if without else None)
    assert environment["AWS_REQUEST_CHECKSUM_CALCULATION"] == "WHEN_REQUIRED"


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        ({}, True),
        ({"rook_access": {"acl": True}}, False),
        ({"rook_access": {"acl": None}}, True),
        ({"rook_access_before": {"acl": False}, "rook_access": {"skipped": True}}, False),
        ({"rook_anonymous_read": False}, False),
    ],
)
def test_the_bucket_is_asked_where_role_rook_did_not_run(settings: dict[str, Any], asks: bool) -> None:
    task = Site(mastodon_launch={}, **settings).tasks("mastodon", "instance.yml")["Check whether the bucket takes ACLs"]
    assert task["when"] is asks
    asked = task["fediverse.mastodon.s3_public_read"]
    assert (asked["state"], asked["secret_name"]) == ("asked", "mastodon-s3")


@pytest.mark.parametrize(
    ("sslmode", "rails", "streaming"),
    [
        ("require", "require", "no-verify"),
        ("verify-full", "verify-full", "verify-full"),
        ("disable", None, None),
    ],
)
def test_all_parts_speak_with_a_database_of_yours_as_it_wants(
    sslmode: str, rails: str | None, streaming: str | None
) -> None:
    yours = {"cnpg_backend": "external", "cnpg_external_host": "db.example.org", "cnpg_external_sslmode": sslmode}
    parts = values(**yours)["mastodon"]
    for part in ("web", "sidekiq"):
        assert parts[part]["extraEnvVars"].get("DB_SSLMODE") == rails
    assert parts["streaming"]["extraEnvVars"].get("DB_SSLMODE") == streaming
    # Streaming would take it, too, and verify.
    assert "DB_SSLMODE" not in parts["extraEnvVars"]
    site = Site(**yours)
    assert site.value("mastodon_stores")["postgresql"]["sslmode"] == sslmode
    proof = site.tasks("cnpg", "proof.yml")["Verify that the database lets Mastodon in and can be used by it"]
    assert proof["fediverse.mastodon.postgresql_check"]["sslmode"] == sslmode


def test_a_database_that_is_made_here_is_spoken_with_as_before() -> None:
    assert "DB_SSLMODE" not in values()["mastodon"]["streaming"]["extraEnvVars"]


def test_an_authority_that_is_given_to_streaming_says_how_it_verifies() -> None:
    given = {"mastodon": {"streaming": {"extraCerts": {"existingSecret": "ca", "sslMode": "verify-full"}}}}
    yours = {"cnpg_backend": "external", "cnpg_external_host": "db.example.org", "mastodon_values": given}
    # The chart names it once more, and a name may stand there only once.
    assert "DB_SSLMODE" not in values(**yours)["mastodon"]["streaming"]["extraEnvVars"]


def test_the_values_of_the_chart_are_worked_out_once() -> None:
    """By far the dearest variable: Ansible works it out anew at every mention. Who restores a database makes a Job of its own."""
    texts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "roles/mastodon/templates").iterdir()}
    counted = {name: text.count("mastodon_chart_values") for name, text in texts.items()}
    assert {name: count for name, count in counted.items() if count} == {"release.yaml.j2": 1, "feeds.yaml.j2": 1}
    tasks = (ROOT / "roles/mastodon/tasks").glob("*.yml")
    assert [file.name for file in tasks if "feeds.yaml.j2" in file.read_text(encoding="utf-8")] == ["restore.yml"]
