# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The traps of Mastodon's chart, by their numbers in roles/mastodon/README.md; what is a setting's is in test_chart_values.py."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.roles.test_mastodon import RESTRICTED, objects, values

from .conftest import Site


def test_trap_2_no_login_is_among_what_hook_jobs_do_not_get() -> None:
    found = values()["mastodon"]
    assert not {name for name in found["extraEnvVars"] if "PASS" in name or "SECRET" in name or "URL" in name}
    assert values()["redis"]["existingSecret"] == "mastodon-redis"


def test_trap_4_a_failed_step_is_never_rolled_back_and_has_time() -> None:
    spec = objects()["HelmRelease mastodon"]["spec"]
    # It ends migrations that are at work, and those of 4.7 take hours: https://github.com/mastodon/mastodon/releases/tag/v4.7.0
    assert spec["timeout"] == "24h"
    for step in ("install", "upgrade"):
        assert spec[step]["strategy"]["name"] == "RetryOnFailure"


def test_trap_5_the_charts_own_admin_is_off() -> None:
    assert values()["mastodon"]["createAdmin"] == {"enabled": False}


def test_trap_6_secrets_come_before_the_release() -> None:
    annotation = objects()["HelmRelease mastodon"]["metadata"]["annotations"]["config.kubernetes.io/depends-on"]
    assert {one.rpartition("/")[2] for one in annotation.split(",")} == {"mastodon-app", "mastodon-smtp"}
    keys = values()["mastodon"]["s3"]["existingSecretKeys"]
    assert keys == {"accessKeyId": "AWS_ACCESS_KEY_ID", "secretAccessKey": "AWS_SECRET_ACCESS_KEY"}


def test_trap_10_containers_are_as_podsecurity_restricted_wants_them() -> None:
    found = values()
    # From the root it reaches the chart's Jobs too; a part's own would win over it.
    assert found["securityContext"] == RESTRICTED
    assert not [part for part in ("web", "streaming", "sidekiq") if "securityContext" in found["mastodon"][part]]


def test_a_retried_upgrade_restarts_no_pod_that_would_come_out_the_same() -> None:
    assert values()["revisionPodAnnotation"] is False


@pytest.mark.parametrize("size", ["minimal", "small", "medium", "large"])
def test_trap_11_one_pod_serves_the_scheduler_and_somebody_fasp(size: str) -> None:
    workers = values(mastodon_size=size)["mastodon"]["sidekiq"]["workers"]
    assert sum(worker["replicas"] for worker in workers if "scheduler" in worker["queues"]) == 1
    assert any("fasp" in worker["queues"] for worker in workers)


def test_trap_12_dragonfly_lets_sidekiqs_scripts_run_and_evicts_nothing() -> None:
    arguments = Site().objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]["args"]
    assert "--default_lua_flags=allow-undeclared-keys" in arguments
    assert "--cache_mode=false" in arguments


def test_trap_13_the_endpoint_has_a_scheme_and_the_hostname_none() -> None:
    found = values()["mastodon"]["s3"]
    assert (found["endpoint"], found["hostname"], found["protocol"]) == (
        "https://s3.example.org",
        "s3.example.org",
        "https",
    )


def test_trap_15_one_version_everywhere_also_when_the_chart_lags() -> None:
    found = values(mastodon_image_tag="v4.7.9")
    assert found["image"]["tag"] == "v4.7.9"
    assert "image" not in found["mastodon"]["streaming"]
    assert all("image" not in worker for worker in found["mastodon"]["sidekiq"]["workers"])


def test_trap_16_the_charts_routes_are_off_and_without_streaming_hosts() -> None:
    assert values()["httproute"] == {"enabled": False}


def test_trap_17_the_fingerprints_of_the_launch_go_with_the_release() -> None:
    recorded = {"fediverse.mastodon/fingerprints": "are-primary-key=0 key=1"}
    release = objects(mastodon_launch={"annotations": recorded})["HelmRelease mastodon"]
    assert release["metadata"]["annotations"].items() >= recorded.items()


def test_a_relay_without_login_needs_no_secret_in_vault() -> None:
    site = Site(mastodon_smtp_login=False)
    objects = site.objects("mastodon")
    values = objects["HelmRelease mastodon"]["spec"]["values"]["mastodon"]["smtp"]
    assert values["authMethod"] == "none"
    # The chart reads it, and what it makes of it is taken away again: tests/unit/stand_ins/test_chart.py.
    assert objects[f"Secret {values['existingSecret']}"]["stringData"] == {"username": "", "password": ""}
    assert "ExternalSecret mastodon-smtp" not in objects
    assert [one["required"] for one in site.value("vault_secrets") if one["path"].endswith("/smtp")] == [[]]


RECOGNISED = {"annotations": {"fediverse.mastodon/secrets": "mastodon-smtp=3f2a9c0d1e4b"}}


def test_trap_18_pods_are_made_anew_for_a_changed_secret() -> None:
    assert values(mastodon_recognised=RECOGNISED)["podAnnotations"] == RECOGNISED["annotations"]
    cache = Site(dragonfly_recognised=RECOGNISED).objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]
    assert cache["annotations"] == RECOGNISED["annotations"]
    dns = Site(external_dns_recognised=RECOGNISED).objects("external_dns")["HelmRelease external-dns-mastodon"]["spec"]
    assert dns["values"]["podAnnotations"] == RECOGNISED["annotations"]


def test_before_there_are_secrets_nothing_is_annotated() -> None:
    assert values()["podAnnotations"] == {}
    assert "annotations" not in Site().objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]
