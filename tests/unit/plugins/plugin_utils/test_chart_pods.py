# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles/mastodon renders with it is in tests/unit/roles/test_mastodon.py; here is what no setting of ours leads to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.filter import chart_pod, chart_secrets
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._chart_pods import pod_template, secrets

IMAGE = {"image": {"tag": "v1"}}
OWN = {"name": "tootctl", "command": ["tootctl"]}


def pod(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod_template({**IMAGE, **values}, "mastodon", OWN)
    return found


def env(values: dict[str, Any]) -> dict[str, Any]:
    [container] = pod(values)["spec"]["containers"]
    return {one["name"]: one.get("value") or one["valueFrom"]["secretKeyRef"] for one in container["env"]}


def test_without_values_it_is_as_the_chart_makes_it_and_no_more() -> None:
    assert pod({}) == {
        "metadata": {},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "serviceAccountName": "mastodon",
            "securityContext": {"runAsUser": 991, "runAsGroup": 991, "fsGroup": 991},
            "containers": [
                {
                    **OWN,
                    "image": "ghcr.io/mastodon/mastodon:v1",
                    "imagePullPolicy": "IfNotPresent",
                    "envFrom": [{"configMapRef": {"name": "mastodon-env"}}],
                    "env": [],
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ({"name": "mine"}, "mine"),
        ({"create": False}, "default"),
        ({"create": False, "name": "mine"}, "mine"),
        ({}, "mastodon"),
    ],
)
def test_the_service_account_is_the_charts(account: dict[str, Any], name: str) -> None:
    assert pod({"serviceAccount": account})["spec"]["serviceAccountName"] == name


def test_a_part_that_is_off_gives_no_login_and_keys_may_be_called_otherwise() -> None:
    off = {"elasticsearch": {"enabled": False, "existingSecret": "search"}}
    assert env(off) == {}
    on = {"elasticsearch": {"enabled": True, "existingSecret": "search", "existingSecretKeys": {"password": "pass"}}}
    assert env(on) == {
        "ES_USER": {"name": "search", "key": "username"},
        "ES_PASS": {"name": "search", "key": "pass"},
    }


def test_what_is_not_text_becomes_text_as_helm_writes_it() -> None:
    more = {"mastodon": {"sidekiq": {"extraEnvVars": {"A": True, "B": 5}}}, "jobAnnotations": {"c": False}}
    assert env(more) == {"A": "true", "B": "5"}
    assert pod(more)["metadata"] == {"annotations": {"c": "false"}}


def test_secrets_are_found_wherever_they_are_named() -> None:
    values = {
        "mastodon": {"deepl": {"existingSecret": "deepl"}, "smtp": {"bulk": {"existingSecret": "bulk"}}},
        "redis": {"existingSecret": "", "sidekiq": {"existingSecret": "bulk"}},
        "tolerations": ["x"],
    }
    assert secrets(values) == ["bulk", "deepl"]


def test_they_are_offered_to_ansible() -> None:
    assert chart_pod.FilterModule().filters() == {"chart_pod": pod_template}
    assert chart_secrets.FilterModule().filters() == {"chart_secrets": secrets}
