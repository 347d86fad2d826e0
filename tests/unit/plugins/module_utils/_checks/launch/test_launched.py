# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One launched Mastodon, and what must not happen to it. Cluster and Vault are in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import ANNOTATION, fullname
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    ENVIRONMENT,
    FOLDER,
    KEYS,
    SALT,
    WANTED,
    World,
)


def test_on_an_empty_cluster_everything_may_be_chosen(world: World) -> None:
    result = world.check()
    assert result.pop("mastodon") == "mastodon/mastodon"
    assert result == {
        "changed": False,
        "launched": False,
        "installed": False,
        "version": "",
        "leaving": "",
        "annotations": {},
        "database_changes": False,
        "database_runs": False,
        "ipv6": False,
    }


@pytest.mark.parametrize(("address", "ipv6"), [("fd00:10:96::1", True), ("10.96.0.1", False)])
def test_the_family_by_which_pods_are_asked_is_the_clusters_first(world: World, address: str, ipv6: bool) -> None:
    world.put("v1", "Service", "default/kubernetes", spec={"clusterIP": address})
    assert world.check()["ipv6"] is ipv6


@pytest.mark.parametrize(("cidrs", "ipv6"), [(["10.96.0.0/16", "fd00:10:96::/112"], True), (["10.96.0.0/16"], False)])
def test_where_services_have_both_families_pods_are_asked_by_both(world: World, cidrs: list[str], ipv6: bool) -> None:
    world.put("v1", "Service", "default/kubernetes", spec={"clusterIP": "10.96.0.1"})
    world.put("networking.k8s.io/v1", "ServiceCIDR", "kubernetes", spec={"cidrs": cidrs})
    assert world.check()["ipv6"] is ipv6
    # Who may not see it, or has an older cluster, has the first family.
    world.api.unreadable = {"ServiceCIDR"}
    assert world.check()["ipv6"] is False


def test_a_family_that_may_not_be_asked_for_is_not_guessed(world: World) -> None:
    world.api.unreadable = {"Service"}
    with pytest.raises(MastodonError, match="Service default/kubernetes: is not permitted"):
        world.check()


def test_what_runs_unchanged_is_let_through_and_recognised_by_fingerprints_only(world: World) -> None:
    world.launch()
    result = world.check()
    assert (result["launched"], result["version"], result["changed"]) == (True, "v4.7.2", False)
    assert set(result["annotations"]) == {ANNOTATION}
    assert not any(value in str(result) for value in KEYS.values())
    assert result == world.check()


@pytest.mark.parametrize(
    ("environment", "other", "reported"),
    [
        ({}, {"local_domain": "other.org"}, "runs as example.org and cannot become other.org"),
        ({}, {"web_domain": "social.example.org"}, "runs as example.org and cannot become social.example.org"),
        ({"WEB_DOMAIN": "s.example.org"}, {}, "runs as s.example.org and cannot become example.org"),
        ({"WEB_DOMAIN": "s.example.org"}, {"web_domain": "t.example.org"}, "runs as s.example.org and cannot become"),
    ],
)
def test_another_domain_is_refused(world: World, environment: dict[str, str], other: Any, reported: str) -> None:
    world.launch(**environment)
    assert reported in world.refused(**other)[0]


def test_variables_that_settings_decide_are_refused_in_a_configmap_of_the_users(world: World) -> None:
    world.launch()
    assert world.check(environment_from="more")["launched"], "it may come later"
    world.put("v1", "ConfigMap", "mastodon/more", data={"ES_PRESET": "single_node_cluster"})
    assert world.check(environment_from="more")["launched"]
    world.put(
        "v1", "ConfigMap", "mastodon/more", data={"WEB_DOMAIN": "n.org", "LOCAL_DOMAIN": "n.org", "SELF_DESTRUCT": "x"}
    )
    assert world.check()["launched"], "nobody reads it"
    assert world.check(environment_from="more", version=None)["launched"], "nothing is installed"
    assert world.refused(environment_from="more") == [
        "ConfigMap mastodon/more: sets LOCAL_DOMAIN, SELF_DESTRUCT, WEB_DOMAIN: Mastodon would run with that, and settings decide it, which "
        "the checks look at. Remove it there, and use the settings."
    ]


def test_one_that_leaves_is_not_installed_again_and_says_what_makes_it_leave(world: World) -> None:
    world.launch(SELF_DESTRUCT="signed")
    assert "has begun to leave the federation and cannot be installed again" in world.refused()[0]
    assert world.check(leaving=True)["leaving"] == "signed"
    assert world.check(version=None, leaving=True)["leaving"] == "signed"


def test_one_that_leaves_is_refused_whatever_release_is_to_follow(world: World) -> None:
    """As where nothing is to follow yet, but will: a restore that goes back to a former database stops Mastodon first."""
    world.launch(SELF_DESTRUCT="signed")
    [sentence] = world.refused(version=None)
    assert "has begun to leave the federation and cannot be installed again" in sentence


def test_one_that_is_about_to_leave_is_known_by_its_release(world: World) -> None:
    world.launch()
    [release] = [one for one in world.api.objects.values() if one["kind"] == "HelmRelease"]
    release["spec"]["values"]["mastodon"]["extraEnvVars"] = {"SELF_DESTRUCT": "signed"}
    assert world.check(leaving=True)["leaving"] == "signed"


@pytest.mark.parametrize("written", ["", "example.org"])
def test_the_web_domain_may_be_written_out_or_left_out(world: World, written: str) -> None:
    world.launch(WEB_DOMAIN="example.org")
    assert world.check(web_domain=written)["launched"]


def test_a_version_that_skips_a_series_or_goes_back_is_refused(world: World) -> None:
    world.launch(image="mirror:5000/mastodon/mastodon:v4.5.20@sha256:00")
    assert "v4.5 → v4.6 → v4.7" in world.refused()[0]
    assert "cannot go back from v4.5.20 to v4.4.27" in world.refused(version="v4.4.27")[0]
    assert world.check(version="v4.6.9")["version"] == "v4.5.20"


def test_without_its_deployment_the_release_tells_the_version(world: World) -> None:
    world.launch()
    world.remove("Deployment", "mastodon-web")
    [release] = [one for one in world.api.objects.values() if one["kind"] == "HelmRelease"]
    release["status"] = {"history": [{"appVersion": "v4.6.9"}]}
    assert world.check(version="v4.6.10")["version"] == "v4.6.9"
    release["spec"]["values"]["image"] = {"tag": "v4.7.1"}
    assert world.check()["version"] == "v4.7.1"


@pytest.fixture
def uninstalled(world: World) -> World:
    """A launched one whose release is gone, with what playbooks/uninstall.yml leaves of it."""
    world.launch()
    notes = {
        **world.check()["annotations"],
        "fediverse.mastodon/release": "v4.7.1",
        "fediverse.mastodon/direct-host": "db.example.org",
    }
    world.config_map()
    [env] = [one for one in world.api.objects.values() if one["metadata"]["name"] == "mastodon-env"]
    labels = env["metadata"]["labels"]
    world.put(
        "v1",
        "ConfigMap",
        "mastodon/mastodon-uninstalled",
        metadata={"labels": labels, "annotations": notes},
        data=env["data"],
    )
    for kind, name in (("ConfigMap", "mastodon-env"), ("Deployment", "mastodon-web"), ("HelmRelease", "mastodon")):
        world.remove(kind, name)
    return world


def test_one_that_was_uninstalled_may_be_installed_again_as_it_was(uninstalled: World) -> None:
    result = uninstalled.check()
    assert (result["launched"], result["version"]) == (True, "v4.7.1")
    assert set(result["annotations"]) == {ANNOTATION}


@pytest.mark.parametrize(
    ("other", "reported"),
    [
        ({"local_domain": "other.org"}, "runs as example.org and cannot become other.org"),
        ({"version": "v4.9.0"}, "cannot go from v4.7.1 to v4.9.0 in one step"),
        ({"version": "v4.6.1"}, "cannot go back from v4.7.1 to v4.6.1"),
    ],
)
def test_one_that_was_uninstalled_is_remembered(uninstalled: World, other: dict[str, str], reported: str) -> None:
    assert any(reported in line for line in uninstalled.refused(**other))


def test_one_that_left_and_was_uninstalled_does_not_come_back(uninstalled: World) -> None:
    [left] = [one for one in uninstalled.api.objects.values() if one["kind"] == "ConfigMap"]
    left["data"]["SELF_DESTRUCT"] = "signed"
    assert any("cannot be installed again" in line for line in uninstalled.refused())


def test_behind_a_pooler_the_database_itself_is_remembered(uninstalled: World) -> None:
    hosts = [ENVIRONMENT["DB_HOST"], "db.example.org"]
    assert uninstalled.check(places={"database_hosts": hosts})["launched"]


def test_a_release_that_did_not_get_up_again_has_migrated_nothing(uninstalled: World) -> None:
    uninstalled.helm_release()
    [release] = [one for one in uninstalled.api.objects.values() if one["kind"] == "HelmRelease"]
    release["spec"]["values"]["image"] = {"tag": "v4.7.2"}
    assert uninstalled.check()["version"] == "v4.7.1"
    release["status"] = {"history": [{"appVersion": "v4.7.2", "status": "deployed"}]}
    assert uninstalled.check()["version"] == "v4.7.2"


def test_the_keys_of_one_that_was_uninstalled_are_remembered(uninstalled: World) -> None:
    uninstalled.store(APP, {**KEYS, "are-primary-key": "another-canary"})
    uninstalled.remove("Secret", "mastodon-app")
    assert any("is not the one that Mastodon was launched with" in line for line in uninstalled.refused())


def test_one_that_is_installed_again_is_what_runs_and_not_what_was_uninstalled(uninstalled: World) -> None:
    uninstalled.config_map()
    uninstalled.helm_release()
    uninstalled.deployment("ghcr.io/mastodon/mastodon:v4.7.2")
    assert uninstalled.check()["version"] == "v4.7.2"


@pytest.mark.parametrize("image", ["v4.9.0", "v4.5.0", "v4.6.9"])
def test_where_none_is_to_follow_any_release_may_run(world: World, image: str) -> None:
    """And nothing of what an upgrade asks for is asked for."""
    world.launch(f"ghcr.io/mastodon/mastodon:{image}")
    world.remove("HelmRelease", "mastodon")
    result = world.check(version=None, postgresql={**WANTED["postgresql"], "version": "9.6"})
    assert (result["launched"], result["version"]) == (True, image)
    assert world.refused(version=None, local_domain="other.org") != []


@pytest.mark.parametrize("version", ["latest", ""])
def test_a_tag_that_names_no_release_is_refused(world: World, version: str) -> None:
    assert world.refused(version=version) == [
        f"Variable mastodon_image_tag: {version!r} is not a release. Write it like v4.7.4."
    ]


def test_another_encryption_key_is_refused_before_and_after_it_reached_the_cluster(world: World) -> None:
    world.launch()
    other = {**KEYS, "are-primary-key": "another-canary"}
    world.store(APP, other)
    before = world.refused()
    world.secret("mastodon/mastodon-app", other)
    assert before == world.refused()
    assert before[0].startswith(
        f"Vault path secret/{APP}: are-primary-key is not the one that Mastodon was launched with"
    )
    assert before[0].endswith(f"bao kv get -mount=secret -version=1 {APP}.")


def test_a_session_key_may_be_rotated(world: World) -> None:
    world.launch()
    world.store(APP, {**KEYS, "secret-key-base": "rotated-canary"})
    assert world.check()["launched"]


def test_fingerprints_made_by_a_lost_key_are_not_taken_for_changed_secrets(world: World) -> None:
    world.launch()
    world.store(SALT, {"key": "cd" * 32})
    assert world.check()["launched"]
    world.lose(SALT)
    assert world.check()["annotations"] == {}


def test_everything_wrong_is_reported_at_once(world: World) -> None:
    world.launch()
    world.lose(APP)
    assert len(world.refused(local_domain="other.org", web_domain="w.org", version="v4.9.0")) == 4


@pytest.mark.parametrize(
    ("store", "version", "reported"),
    [
        ("postgresql", "13", "PostgreSQL: is too old for Mastodon v4.7.4: it is 13. It needs 14.4."),
        ("redis", "6.2.7", "Redis: is too old for Mastodon v4.7.4: it is 6.2.7. It needs 7.0."),
    ],
)
def test_a_store_that_is_too_old_is_refused_before_a_new_series(
    world: World, store: str, version: str, reported: str
) -> None:
    given = {"cluster": "", "database": "", "version": version, "host": "", "path": ""}
    assert world.refused(**{store: given}) == [reported]
    world.launch()
    assert world.check(**{store: given})["launched"], "a patch release asks for nothing new"


def test_a_server_is_asked_with_the_password_of_vault_or_skipped_aloud(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_server: Any, password: str) -> dict[str, str]:
        asked.append(password)
        return {"redis_version": "6.0.0"}

    monkeypatch.setattr(stores.redis_server, "refuse_tls", lambda _server: None)
    monkeypatch.setattr(stores.redis_server, "ask", ask)
    store = {
        "version": "",
        "host": "redis.example.org",
        "port": 6379,
        "path": f"{FOLDER}/redis",
        "password": "",
        "sslmode": "require",
    }
    assert world.check(redis=store)["launched"] is False
    world.store(f"{FOLDER}/redis", {"password": "cache-canary"})
    assert "Redis redis.example.org: is too old" in world.refused(redis=store)[0]
    assert asked == ["cache-canary"]

    def out_of_reach(*_unused: Any) -> Any:
        raise OSError("no way")

    monkeypatch.setattr(stores.redis_server, "ask", out_of_reach)
    world.check(redis=store)
    assert world.said == ["skipped the check of Redis redis.example.org:6379, which cannot be asked from here: no way"]


@pytest.mark.parametrize(
    ("name", "called"), [("mastodon", "mastodon"), ("my-mastodon", "my-mastodon"), ("a", "a-mastodon")]
)
def test_objects_are_called_as_the_chart_calls_them(name: str, called: str) -> None:
    assert fullname(name) == called
