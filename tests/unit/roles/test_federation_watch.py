# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look that repeats itself inside the cluster: the same program, with the same options, and no rights at all."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible_collections.fediverse.mastodon.extensions.federation_check import main, serve
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import arrival
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.looks import OPTIONS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._federation_program import program

from .conftest import Site
from .test_federation import declared

NAME = "mastodon-federation-watch"
ON = {"mastodon_federation_watch": True}
# What the playbook says of a cluster and of its own machine.
OF_THE_PLAYBOOK = {"ca_secret", "gateway", "nameserver", "reports", "since", "via"}


def watch(**settings: Any) -> dict[str, Any]:
    """Return its objects."""
    found = Site(**{**ON, **settings}).objects("mastodon")
    return {name: item for name, item in found.items() if name.endswith(NAME)}


def pod(**settings: Any) -> dict[str, Any]:
    spec: dict[str, Any] = watch(**settings)[f"Deployment {NAME}"]["spec"]["template"]["spec"]
    return spec


def options(**settings: Any) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(watch(**settings)[f"ConfigMap {NAME}"]["data"]["options.json"])
    return given


def test_it_is_there_only_where_it_is_asked_for() -> None:
    assert watch(mastodon_federation_watch=False) == {}
    assert sorted(watch()) == [f"ConfigMap {NAME}", f"Deployment {NAME}", f"NetworkPolicy {NAME}"]
    assert sorted(watch(mastodon_network_policies=False)) == [f"ConfigMap {NAME}", f"Deployment {NAME}"]
    assert f"PodMonitor {NAME}" in watch(mastodon_monitoring=True)


def test_it_runs_the_program_that_is_built_of_the_same_files() -> None:
    content = watch()[f"ConfigMap {NAME}"]["binaryData"]
    assert base64.b64decode(content["federation-check.pyz"]) == program()


def test_it_looks_for_what_the_playbook_looks_for() -> None:
    settings = {
        "mastodon_web_domain": "social.example.org",
        "mastodon_admin_username": "owner",
        "mastodon_values": {"mastodon": {"authorizedFetch": True}},
        "federation_addresses": ["203.0.113.7"],
    }
    same = {name: value for name, value in declared(**settings).items() if name not in OF_THE_PLAYBOOK}
    assert options(**settings) == same
    assert same["addresses"] == ["203.0.113.7"]


ECHO = {"mastodon_federation_echo": True}


def test_it_says_what_arrives_only_where_that_is_asked_for() -> None:
    found = Site(**{**ON, **ECHO}).objects("mastodon")
    service = found["Service mastodon-federation-echo"]
    assert service["spec"]["selector"] == pod_labels()
    assert options(**ECHO)["echo"] is True
    assert "Service mastodon-federation-echo" not in Site(**ON).objects("mastodon")
    assert options()["echo"] is False


def pod_labels() -> dict[str, str]:
    labels: dict[str, str] = watch()[f"Deployment {NAME}"]["spec"]["template"]["metadata"]["labels"]
    return labels


def test_the_world_comes_to_what_arrives_and_not_to_its_metrics() -> None:
    rules = Site(**{**ON, **ECHO}).objects("mastodon")["HTTPRoute mastodon"]["spec"]["rules"]
    [rule] = [one for one in rules if one["backendRefs"][0]["name"] == "mastodon-federation-echo"]
    (container,) = pod()["containers"]
    assert rule["backendRefs"][0]["port"] == container["ports"][0]["containerPort"]
    assert [one["path"] for one in rule["matches"]] == [{"type": "PathPrefix", "value": arrival.PREFIX}]
    # A connection is held there, as streams are.
    assert rule["timeouts"] == {"request": "0s"}
    assert {arrival.PATH, arrival.HELD} == {f"{arrival.PREFIX}/echo", f"{arrival.PREFIX}/held"}


def test_its_options_are_such_as_the_program_takes() -> None:
    assert main.options(options(), OPTIONS)["domain"] == "example.org"


def test_its_pods_are_none_of_the_release_and_new_options_make_new_ones() -> None:
    found = watch(mastodon_monitoring=True)
    template = found[f"Deployment {NAME}"]["spec"]["template"]["metadata"]
    labels = template["labels"]
    assert labels["app.kubernetes.io/name"] != "mastodon"
    assert found[f"Deployment {NAME}"]["spec"]["selector"]["matchLabels"] == labels
    assert found[f"NetworkPolicy {NAME}"]["spec"]["podSelector"]["matchLabels"] == labels
    assert found[f"PodMonitor {NAME}"]["spec"]["selector"]["matchLabels"] == labels
    other = watch(federation_account="bob")[f"Deployment {NAME}"]["spec"]["template"]["metadata"]
    assert other["annotations"] != template["annotations"]
    assert watch()[f"Deployment {NAME}"]["spec"]["template"]["metadata"]["annotations"] == template["annotations"]


def test_it_has_no_rights_in_the_cluster_and_writes_nothing() -> None:
    (container,) = pod()["containers"]
    assert pod()["automountServiceAccountToken"] is False
    assert pod()["securityContext"]["runAsUser"] > 0
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["resources"]["limits"]["memory"]


def test_it_looks_as_often_as_is_said_and_within_what_the_program_takes() -> None:
    for minutes in (5, 15, 1440):
        (container,) = pod(mastodon_federation_watch_minutes=minutes)["containers"]
        (given,) = [part for part in container["command"] if part.startswith("--every=")]
        assert int(given.removeprefix("--every=")) == minutes * 60
        assert serve.LEAST <= minutes * 60 <= serve.MOST


def test_only_its_metrics_can_be_reached() -> None:
    (container,) = pod()["containers"]
    (port,) = container["ports"]
    (allowed,) = watch()[f"NetworkPolicy {NAME}"]["spec"]["ingress"]
    assert allowed == {"ports": [{"port": port["containerPort"], "protocol": "TCP"}]}
    assert f"--serve={port['containerPort']}" in container["command"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/metrics", "port": port["name"]}
