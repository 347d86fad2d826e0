# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are older than Vault, in a cluster and a Vault in memory, with an External Secrets that acts only when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import secret_refresh
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored

STORE = {"kind": "ClusterSecretStore", "name": "vault-mastodon"}


def external_secret(name: str, manager: str = "fediverse.mastodon", **spec: Any) -> Object:
    data = [{"secretKey": key, "remoteRef": {"key": f"m/{name}", "property": key}} for key in ("username", "password")]
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "mastodon", "managedFields": [{"manager": manager}]},
        "spec": {"secretStoreRef": STORE, "data": data, **spec},
    }


def pod(
    name: str, secret: str, owner: Mapping[str, str] | None = None, phase: str = "Running", hash_: str = ""
) -> Object:
    reference = {"secretKeyRef": {"name": secret, "key": "password"}}
    return {
        "metadata": {
            "name": name,
            "namespace": "mastodon",
            "labels": {"pod-template-hash": hash_},
            **({"ownerReferences": [owner]} if owner else {}),
        },
        "spec": {"containers": [{"env": [{"name": "A", "value": "b"}, {"name": "P", "valueFrom": reference}]}]},
        "status": {"phase": phase},
    }


class World:
    """What the cluster and Vault hold."""

    def __init__(self) -> None:
        self.sources: list[Object] | None = [external_secret("smtp")]
        self.vault: dict[str, Stored] = {"m/smtp": Stored(1, {"username": "u", "password": "canary-one"})}
        self.secrets: dict[str, dict[str, str]] = {"smtp": {"username": "u", "password": "canary-one"}}
        self.pods: list[Object] = []
        self.asked: list[str] = []
        self.said: list[str] = []
        self.works = True
        self.conditions: list[dict[str, Any]] = [{"namespaces": ["mastodon"]}]
        self.stores_read = 0

    def read(self, selection: Selection) -> Listing:
        if selection.resource.kind == "Pod":
            return Listing(tuple(self.pods), "1")
        if selection.resource.kind == "ClusterSecretStore":
            store = {"metadata": {"name": STORE["name"]}, "spec": {"conditions": self.conditions}}
            self.stores_read += 1
            return Listing((store,), "1")
        if self.sources is None:
            raise ApiError("ExternalSecret", "is not served", "not found", "", status=404)
        return Listing(tuple(item for item in self.sources if selection.name in ("", item["metadata"]["name"])), "1")

    def annotate(self, _resource: Any, _namespace: str, name: str, notes: Mapping[str, str], manager: str) -> Object:
        assert (set(notes), manager) == ({"force-sync"}, "fediverse.mastodon.request")
        self.asked.append(name)
        if self.works:
            self.secrets[name] = {key: str(value) for key, value in self.vault[f"m/{name}"].data.items()}
        return {}

    def run(self, *, check: bool = False, seconds: int = 0) -> dict[str, Any]:
        parameters = {"stores": ["vault-mastodon", "vault-mastodon-dns"], "mount": "secret", "wait_timeout": seconds}
        result = secret_refresh.run_task(parameters, Run(check=check, diff=False, say=self.said.append, environment={}))
        assert "canary" not in f"{result}{self.said}"
        return result

    def rotate(self, name: str = "smtp", **values: str) -> None:
        before = self.vault[f"m/{name}"]
        self.vault[f"m/{name}"] = Stored(before.version + 1, {**before.data, **values})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    here = World()
    monkeypatch.setattr(secret_refresh, "connect", lambda *_unused: None)
    monkeypatch.setattr(secret_refresh, "open_objects", lambda *_unused: here)
    monkeypatch.setattr(secret_refresh.vault, "connect", lambda *_unused: None)
    monkeypatch.setattr(secret_refresh.kv, "read", lambda _vault, _mount, path: here.vault.get(path, Stored()))
    monkeypatch.setattr(
        secret_refresh,
        "read_secret",
        lambda _connection, _namespace, name: Secret(name, here.secrets[name]) if name in here.secrets else None,
    )
    return here


def test_what_holds_the_same_is_left_alone(world: World) -> None:
    assert world.run() == {"changed": False, "refreshed": []}
    assert world.asked == []


def test_what_is_older_is_read_again_and_waited_for_and_then_left_alone(world: World) -> None:
    world.rotate(password="canary-two")
    assert world.run() == {"changed": True, "refreshed": ["ExternalSecret mastodon/smtp"]}
    assert world.secrets["smtp"]["password"] == "canary-two"
    assert world.said == [
        "configured ExternalSecret mastodon/smtp: its Secret has an older password than Vault path m/smtp"
        " → asked External Secrets to read it again"
    ]
    assert world.run() == {"changed": False, "refreshed": []}
    assert world.asked == ["smtp"]


def test_check_mode_names_what_is_older_and_asks_for_nothing(world: World) -> None:
    world.rotate(password="canary-two")
    assert world.run(check=True)["changed"]
    assert world.asked == []
    assert "its Secret has an older password" in world.said[0]


def test_who_started_with_the_older_value_is_named(world: World) -> None:
    world.rotate(password="canary-two")
    world.pods = [
        pod("web-5f-a", "smtp", {"kind": "ReplicaSet", "name": "web-5f"}, hash_="5f"),
        pod("web-5f-b", "smtp", {"kind": "ReplicaSet", "name": "web-5f"}, hash_="5f"),
        pod("cache-0", "smtp", {"kind": "StatefulSet", "name": "cache"}),
        pod("alone", "smtp"),
        pod("migrate-x", "smtp", {"kind": "Job", "name": "migrate"}, phase="Succeeded"),
        pod("other", "another"),
    ]
    world.run()
    assert world.said[1:] == [
        f"{who} runs with an older value of Secret mastodon/smtp until its pods are created again"
        for who in ("Deployment mastodon/web", "Pod mastodon/alone", "StatefulSet mastodon/cache")
    ]


@pytest.mark.parametrize(
    ("key", "meaning"),
    [("secret-key-base", "everybody will be signed out"), ("RESTIC_PASSWORD", "until restic key add adds this one")],
)
def test_what_a_change_costs_is_reported(world: World, key: str, meaning: str) -> None:
    world.sources = [
        external_secret("app", data=[{"secretKey": key, "remoteRef": {"key": "m/app", "property": "value"}}])
    ]
    world.vault["m/app"] = Stored(2, {"value": "canary-two"})
    world.secrets["app"] = {key: "canary-one"}
    world.run(check=True)
    assert meaning in world.said[0]


@pytest.mark.parametrize(
    "item",
    [
        external_secret("smtp", manager="kubectl"),
        external_secret("smtp", secretStoreRef={"kind": "ClusterSecretStore", "name": "vault-other"}),
        external_secret("smtp", secretStoreRef={"kind": "SecretStore", "name": "vault-mastodon"}),
    ],
)
def test_what_others_applied_or_another_store_reads_is_left_alone(world: World, item: Object) -> None:
    world.sources = [item]
    world.rotate(password="canary-two")
    assert not world.run()["changed"]
    assert world.asked == []


def test_a_value_that_vault_has_lost_and_a_secret_that_is_not_made_yet_are_no_changes(world: World) -> None:
    world.vault["m/smtp"] = Stored(2, {"username": "u"})
    assert not world.run()["changed"]
    world.rotate(password="canary-two")
    del world.secrets["smtp"]
    assert not world.run()["changed"]
    assert world.asked == []


def test_a_number_in_vault_is_the_text_that_external_secrets_makes_of_it(world: World) -> None:
    stored: Any = {"username": "u", "password": 4711}
    world.vault["m/smtp"] = Stored(2, stored)
    world.secrets["smtp"]["password"] = "4711"
    assert not world.run()["changed"]


def test_before_the_kind_is_served_there_is_nothing_to_refresh(world: World) -> None:
    world.sources = None
    assert not world.run(check=True)["changed"]


def test_an_external_secrets_that_does_not_act_is_named_with_what_it_says(world: World) -> None:
    world.rotate(password="canary-two")
    world.works = False
    sources = world.sources or []
    sources[0]["status"] = {
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "SecretSyncedError", "message": "store is sealed"}
        ]
    }
    with pytest.raises(MastodonError) as reported:
        world.run()
    assert str(reported.value).startswith(
        "ExternalSecret mastodon/smtp: does not follow Vault: after 0 s Secret mastodon/smtp still has an older value: "
        "store is sealed. Check that External Secrets runs"
    )


def test_what_a_store_admits_no_more_is_reported_and_not_waited_for(world: World) -> None:
    left = external_secret("issuer-dns")
    left["metadata"]["namespace"] = "cert-manager"
    world.sources = [external_secret("smtp"), left]
    world.vault["m/issuer-dns"] = Stored(2, {"password": "canary-two"})
    world.secrets["issuer-dns"] = {"password": "canary-one"}
    reported = (
        "skipped ExternalSecret cert-manager/issuer-dns: ClusterSecretStore vault-mastodon no longer admits its namespace, "
        "so that its Secret keeps an older password. Delete it if nothing needs it."
    )
    for check in (True, False):
        assert world.run(check=check) == {"changed": False, "refreshed": []}
        assert world.said.pop() == reported
    world.rotate(password="canary-two")
    assert world.run()["refreshed"] == ["ExternalSecret mastodon/smtp"]
    assert world.asked == ["smtp"]


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"namespaces": ["other"]}, {"namespaces": ["mastodon"]}],
        # What these admit the API server knows.
        [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        [{"namespaceRegexes": ["masto.*"], "namespaces": ["other"]}],
    ],
)
def test_what_a_store_may_admit_is_asked_for(world: World, conditions: list[dict[str, Any]]) -> None:
    world.conditions = conditions
    world.rotate(password="canary-two")
    assert world.run()["refreshed"] == ["ExternalSecret mastodon/smtp"]


def test_stores_are_looked_at_only_where_something_is_older(world: World) -> None:
    world.run()
    assert world.stores_read == 0
