# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One launched Mastodon, and what must not happen to it. Cluster and Vault are in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch import task
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.record import ANNOTATION, fullname
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored

APP = "mastodon/example.org/app"
SALT = "mastodon/example.org/fingerprint"
VALUES = {"secret-key-base": "session-canary", "are-primary-key": "encryption-canary"}
HELM = Resource("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases", namespaced=True)
WANTED: dict[str, Any] = {
    "namespace": "mastodon",
    "name": "mastodon",
    "local_domain": "example.org",
    "web_domain": "",
    "version": "v4.7.4",
    "mount": "secret",
    "fingerprint_key": SALT,
    "secrets": [{"path": APP, "secret": "mastodon-app", "keys": list(VALUES), "permanent": ["are-primary-key"]}],
    "postgresql": None,
    "redis": None,
}


class World:
    """What the cluster and Vault hold."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.vault: dict[str, Stored] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.said: list[str] = []

    def launch(self, image: str = "ghcr.io/mastodon/mastodon:v4.7.2", **environment: str) -> None:
        """Fill both as a run of site.yml does."""
        self.vault = {APP: Stored(1, VALUES), SALT: Stored(1, {"key": "ab" * 32})}
        self.secrets["mastodon-app"] = dict(VALUES)
        self.objects["HelmRelease mastodon"] = {"metadata": {"annotations": self.check()["annotations"]}}
        self.objects["ConfigMap mastodon-env"] = {"data": {"LOCAL_DOMAIN": "example.org", **environment}}
        container = {"image": image}
        self.objects["Deployment mastodon-web"] = {"spec": {"template": {"spec": {"containers": [container]}}}}

    def check(self, **other: Any) -> dict[str, Any]:
        """Run the task."""
        run = Run(check=False, diff=False, say=self.said.append, environment={})
        return task.check({**WANTED, **other}, run)

    def refused(self, **other: Any) -> list[str]:
        """Run the task and return what it refuses."""
        with pytest.raises(MastodonError) as refusal:
            self.check(**other)
        assert "canary" not in str(refusal.value), "a secret is shown"
        return str(refusal.value).splitlines()

    def discover(self) -> Catalog:
        return Catalog([HELM])

    def read(self, selection: Selection) -> Listing:
        found = self.objects.get(f"{selection.resource.kind} {selection.name}")
        return Listing((found,) if found else (), "1")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    here = World()
    monkeypatch.setattr(task, "connect", lambda *_unused: None)
    monkeypatch.setattr(task, "Client", lambda *_unused: None)
    monkeypatch.setattr(task, "Objects", lambda *_unused: here)
    monkeypatch.setattr(task.vault, "connect", lambda *_unused: None)
    monkeypatch.setattr(task.kv, "read", lambda _vault, _mount, path: here.vault.get(path, Stored()))
    monkeypatch.setattr(
        task,
        "read_secret",
        lambda _connection, _namespace, name: Secret(name, here.secrets[name]) if name in here.secrets else None,
    )
    return here


def test_on_an_empty_cluster_everything_may_be_chosen(world: World) -> None:
    result = world.check()
    assert result == {"changed": False, "launched": False, "version": "", "annotations": {}}


def test_what_runs_unchanged_is_let_through_and_recognised_by_fingerprints_only(world: World) -> None:
    world.launch()
    result = world.check()
    assert (result["launched"], result["version"], result["changed"]) == (True, "v4.7.2", False)
    assert set(result["annotations"]) == {ANNOTATION}
    assert not any(value in str(result) for value in VALUES.values())
    assert result == world.check()


@pytest.mark.parametrize(
    ("environment", "other", "told"),
    [
        ({}, {"local_domain": "other.org"}, "runs as example.org and cannot become other.org"),
        ({}, {"web_domain": "social.example.org"}, "runs as example.org and cannot become social.example.org"),
        ({"WEB_DOMAIN": "s.example.org"}, {}, "runs as s.example.org and cannot become example.org"),
        ({"WEB_DOMAIN": "s.example.org"}, {"web_domain": "t.example.org"}, "runs as s.example.org and cannot become"),
    ],
)
def test_another_domain_is_refused(world: World, environment: dict[str, str], other: Any, told: str) -> None:
    world.launch(**environment)
    assert told in world.refused(**other)[0]


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
    del world.objects["Deployment mastodon-web"]
    world.objects["HelmRelease mastodon"] |= {"status": {"history": [{"appVersion": "v4.6.9"}]}}
    assert world.check()["version"] == "v4.6.9"
    world.objects["HelmRelease mastodon"] |= {"spec": {"values": {"image": {"tag": "v4.7.1"}}}}
    assert world.check()["version"] == "v4.7.1"


def test_a_tag_that_names_no_release_is_refused(world: World) -> None:
    assert world.refused(version="latest") == [
        "Variable mastodon_image_tag: 'latest' is no release. Write it like v4.7.4."
    ]


def test_an_empty_path_of_a_running_mastodon_is_refused_with_the_way_back(world: World) -> None:
    world.launch()
    del world.vault[APP]
    assert world.refused() == [
        f"Vault path secret/{APP}: is empty: a Mastodon that runs was launched with it, so it is not made anew. Write it "
        "back from the cluster: kubectl get secret -n mastodon mastodon-app -o json | jq '.data | map_values(@base64d)' "
        f"| bao kv put -mount=secret {APP} -"
    ]


def test_a_deleted_version_is_brought_back(world: World) -> None:
    world.launch()
    world.vault[APP] = Stored(3, {}, "2026-11-01")
    assert f"bao kv undelete -mount=secret -versions=3 {APP}." in world.refused()[0]


def test_what_is_lost_in_both_places_comes_from_a_backup(world: World) -> None:
    world.launch()
    world.vault[APP] = Stored(1, {"secret-key-base": "session-canary"})
    world.secrets.clear()
    told = world.refused()[0]
    assert "are-primary-key missing" in told
    assert told.endswith("Restore it from a backup of Vault.")


def test_another_encryption_key_is_refused_before_and_after_it_reached_the_cluster(world: World) -> None:
    world.launch()
    world.vault[APP] = Stored(2, {**VALUES, "are-primary-key": "another-canary"})
    before = world.refused()
    world.secrets["mastodon-app"]["are-primary-key"] = "another-canary"
    assert before == world.refused()
    assert before[0].startswith(
        f"Vault path secret/{APP}: are-primary-key is another one than Mastodon was launched with"
    )
    assert before[0].endswith(f"bao kv get -mount=secret -version=1 {APP}.")


def test_a_session_key_may_be_rotated(world: World) -> None:
    world.launch()
    world.vault[APP] = Stored(2, {**VALUES, "secret-key-base": "rotated-canary"})
    assert world.check()["launched"]


def test_fingerprints_made_by_a_lost_key_are_not_taken_for_changed_secrets(world: World) -> None:
    world.launch()
    world.vault[SALT] = Stored(1, {"key": "cd" * 32})
    assert world.check()["launched"]
    del world.vault[SALT]
    assert world.check()["annotations"] == {}


def test_everything_wrong_is_told_at_once(world: World) -> None:
    world.launch()
    world.vault.clear()
    assert len(world.refused(local_domain="other.org", web_domain="w.org", version="v4.9.0")) == 4


@pytest.mark.parametrize(
    ("store", "version", "told"),
    [
        ("postgresql", "13", "PostgreSQL: is too old for Mastodon v4.7.4: it is 13. It takes 14.4."),
        ("redis", "6.2.7", "Redis: is too old for Mastodon v4.7.4: it is 6.2.7. It takes 7.0."),
    ],
)
def test_a_store_that_is_too_old_is_refused_before_a_new_series(
    world: World, store: str, version: str, told: str
) -> None:
    given = {"version": version, "host": "", "path": ""}
    assert world.refused(**{store: given}) == [told]
    world.launch()
    assert world.check(**{store: given})["launched"], "a patch release asks for nothing new"


def test_a_server_is_asked_with_the_password_of_vault_or_skipped_aloud(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_server: Any, password: str) -> dict[str, str]:
        asked.append(password)
        return {"redis_version": "6.0.0"}

    monkeypatch.setattr(task.stores.redis_server, "ask", ask)
    store = {"version": "", "host": "redis.example.org", "port": 6379, "path": "mastodon/example.org/redis"}
    assert world.check(redis=store)["launched"] is False
    world.vault["mastodon/example.org/redis"] = Stored(1, {"password": "cache-canary"})
    assert "Redis redis.example.org: is too old" in world.refused(redis=store)[0]
    assert asked == ["cache-canary"]

    def out_of_reach(*_unused: Any) -> Any:
        raise OSError("no way")

    monkeypatch.setattr(task.stores.redis_server, "ask", out_of_reach)
    world.check(redis=store)
    assert world.said == ["skipped the check of Redis redis.example.org:6379, which cannot be asked from here: no way"]


@pytest.mark.parametrize(
    ("name", "called"), [("mastodon", "mastodon"), ("my-mastodon", "my-mastodon"), ("a", "a-mastodon")]
)
def test_objects_are_called_as_the_chart_calls_them(name: str, called: str) -> None:
    assert fullname(name) == called
