# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How servers come to know a new secret and forget the old one, each server in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import Finished
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail import smtp
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3 import answers
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import UnknownKeysError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores import second_login
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
    Server,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import (
    rotating,
    rotating_cache,
    rotating_database,
    rotating_stores,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import Patience
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

OLD, NEW = {"password": "canary-old"}, {"password": "canary-new"}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
CONNECTION: Any = None


def patience(monkeypatch: pytest.MonkeyPatch, said: list[str], seconds: float = 60) -> Patience:
    monkeypatch.setattr(rotating, "_PAUSE", 0.0)
    return Patience(Deadline(seconds), Run(check=False, diff=False, say=said.append, environment={}))


def refused(server: Server) -> RefusedLoginError:
    return RefusedLoginError(str(server), "does not accept the password", "", server.remedy)


class Pods:
    """Dragonflies, each with a set of passwords of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **passwords: set[str]) -> None:
        self.passwords, self.said, self.unready = passwords, list[str](), list[str]()
        self.older: list[str] = []
        api = SimpleNamespace(read=lambda selection: SimpleNamespace(objects=self._read(selection.resource.kind)))
        monkeypatch.setattr(rotating_cache, "open_objects", lambda connection: api)
        for name in ("ask", "admit", "dismiss"):
            monkeypatch.setattr(rotating_cache.redis_server, name, getattr(self, name))
        waits = patience(monkeypatch, self.said)
        self.cache = rotating_cache.Cache(CONNECTION, "mastodon", "mastodon-redis", 6379, "Vault path m", waits)

    def _read(self, kind: str) -> list[Mapping[str, Any]]:
        if kind == "Dragonfly":
            return [{"spec": {"annotations": {"secrets": "new"}}}]
        return [self._pod(name) for name in self.passwords]

    def _pod(self, name: str) -> Mapping[str, Any]:
        status = "False" if name in self.unready else "True"
        if self.unready:
            self.unready.pop()
        mark = "old" if name in self.older else "new"
        if self.older:
            self.older.pop()
        metadata = {"name": name, "generation": 2, "annotations": {"secrets": mark, "other": ""}}
        return {
            "metadata": metadata,
            "status": {"conditions": [{"type": "Ready", "status": status, "observedGeneration": 2}]},
        }

    def _of(self, server: Server, password: str) -> set[str]:
        known = self.passwords[server.host.partition(".")[0]]
        if password not in known:
            raise refused(server)
        return known

    def ask(self, server: Server, password: str) -> None:
        self._of(server, password)

    def admit(self, server: Server, password: str, new: str) -> None:
        self._of(server, password).add(new)

    def dismiss(self, server: Server, password: str, old: str) -> None:
        self._of(server, password).discard(old)


def test_each_pod_of_a_cache_lets_both_in_and_then_the_new_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # One that started anew meanwhile, and one that an earlier run was killed at.
    pods = Pods(monkeypatch, first={OLD["password"]}, second={*OLD.values(), *NEW.values()}, third={NEW["password"]})
    assert pods.cache.admit(OLD, NEW) == "Dragonfly mastodon/mastodon-redis lets both in"
    assert all(known == {*OLD.values(), *NEW.values()} for known in pods.passwords.values())
    assert pods.cache.dismiss(NEW, OLD) == "Dragonfly mastodon/mastodon-redis refuses the old one"
    assert all(known == {NEW["password"]} for known in pods.passwords.values())


def test_a_server_that_keeps_one_password_has_the_old_one_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods(monkeypatch, first={OLD["password"]})

    def admit(server: Server, password: str, new: str) -> None:
        pods._of(server, password)
        pods.passwords["first"] = {new}

    monkeypatch.setattr(rotating_cache.redis_server, "admit", admit)
    with pytest.raises(MastodonError) as caught:
        pods.cache.admit(OLD, NEW)
    assert str(caught.value) == (
        "Redis first.mastodon:6379: keeps one password at a time: Dragonfly keeps several from 1.20 on. Set dragonfly_image to a newer one, run "
        "fediverse.mastodon.site, and then this again."
    )
    assert pods.passwords["first"] == set(OLD.values())


def test_a_pod_that_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods(monkeypatch, first={OLD["password"]})
    pods.unready = ["first"]
    pods.cache.admit(OLD, NEW)
    assert pods.passwords["first"] == {*OLD.values(), *NEW.values()}


def test_a_pod_that_did_not_start_with_the_new_one_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods(monkeypatch, first={*OLD.values(), *NEW.values()})
    pods.older = ["first", "first"]
    pods.cache.dismiss(NEW, OLD)
    assert pods.older == []
    assert pods.passwords["first"] == set(NEW.values())


def test_a_cache_that_knows_neither_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods(monkeypatch, first={"somebody's"})
    with pytest.raises(RefusedLoginError):
        pods.cache.admit(OLD, NEW)


class Base:
    """A Cluster whose superuser runs what is typed, and its logins."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, primary: str = "mastodon-db-1") -> None:
        self.logins, self.typed, self.said = {("mastodon", OLD["password"])}, list[str](), list[str]()
        self.code, self.late = 0, 0
        self.api = FakeApi(NAMESPACE)
        monkeypatch.setattr(rotating_database, "open_objects", lambda connection: self.api)
        cluster = {"status": {"currentPrimary": primary}}
        monkeypatch.setattr(rotating_database, "cluster_at", lambda objects, namespace, name: cluster)
        monkeypatch.setattr(rotating_database.pods, "run", self.run)
        monkeypatch.setattr(rotating_database.postgresql_server, "ask", self.ask)
        monkeypatch.setattr(rotating_database.postgresql_server, "verdict", lambda server, found: "")
        server = Server("PostgreSQL", "mastodon-db-rw.mastodon.svc", 5432, "Vault path m")
        self.database = rotating_database.Database(
            CONNECTION,
            "mastodon",
            "mastodon-db",
            server,
            "mastodon",
            "mastodon",
            ("mastodon", "mastodon-db-rotation"),
            patience(monkeypatch, self.said),
        )

    def run(
        self, _connection: Any, namespace: str, pod: str, container: str, command: list[str], *, typed: str
    ) -> Finished:
        assert (namespace, pod, container) == ("mastodon", "mastodon-db-1", "postgres")
        assert not [word for word in command if "canary" in word or "SCRAM" in word]
        self.typed.append(typed)
        second = second_login.name_of("mastodon")
        self.logins = {one for one in self.logins if one[0] != second}
        if "CREATE ROLE" in typed:
            self.logins.add((second, NEW["password"]))
        return Finished(self.code, "", "ERROR:  role mastodon_rotation is there and is not ours" if self.code else "")

    def ask(self, server: Server, username: str, password: str, _database: str) -> None:
        if self.late:
            self.late -= 1
            self.logins.add((username, password))
        elif (username, password) not in self.logins:
            raise refused(server)

    def secrets(self) -> list[str]:
        return [subject.name for subject in self.api.objects if subject.kind == "Secret"]


def test_a_database_lets_a_second_login_in_beside_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Base(monkeypatch)
    assert base.database.admit(OLD, NEW).endswith("lets mastodon_rotation in by it")
    assert base.logins == {("mastodon", OLD["password"]), ("mastodon_rotation", NEW["password"])}
    assert base.secrets() == ["mastodon-db-rotation"]
    assert base.typed[0].endswith("\n\\q\n")
    base.logins = {("mastodon", NEW["password"]), ("mastodon_rotation", NEW["password"])}
    assert base.database.dismiss(NEW, OLD).endswith("refuses the old one")
    assert base.logins == {("mastodon", NEW["password"])}
    assert base.secrets() == []


def test_an_owner_who_gets_the_new_password_a_little_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Base(monkeypatch)
    base.logins, base.late = set(), 1
    base.database.dismiss(NEW, OLD)


def test_an_owner_who_keeps_the_old_password_is_reported_and_the_second_login_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = Base(monkeypatch)
    base.database.admit(OLD, NEW)
    base.logins.add(("mastodon", NEW["password"]))
    with pytest.raises(MastodonError, match="still lets the old password in"):
        base.database.dismiss(NEW, OLD)
    assert base.secrets() == ["mastodon-db-rotation"]


def test_what_somebody_else_called_so_is_neither_taken_over_nor_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Base(monkeypatch)
    base.code = 3
    with pytest.raises(MastodonError, match="role mastodon_rotation is there and is not ours"):
        base.database.admit(OLD, NEW)
    metadata = {"name": "mastodon-db-rotation", "namespace": "mastodon"}
    base.api.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})
    with pytest.raises(MastodonError, match="Secret mastodon/mastodon-db-rotation: is in the way"):
        base.database.admit(OLD, NEW)


def test_a_cluster_without_a_primary_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReadyError, match="Cluster mastodon/mastodon-db: has no primary"):
        Base(monkeypatch, primary="").database.admit(OLD, NEW)


@pytest.mark.parametrize("option", ["database", "redis"])
def test_a_server_of_yours_has_to_know_the_new_one_and_may_keep_the_old_one(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    known = set(OLD.values())

    def ask(server: Server, *login: str) -> None:
        if not known & {*login}:
            raise refused(server)

    monkeypatch.setattr(rotating_stores.postgresql_server, "ask", ask)
    monkeypatch.setattr(rotating_stores.redis_server, "ask", ask)
    wanted = {
        "host": "db.example.org",
        "port": 1,
        "name": "",
        "owner": "mastodon",
        "database": "m",
        "sslmode": "require",
    }
    parameters = {**dict.fromkeys(rotating_stores.STORES), "mount": "secret", "path": "m", option: wanted}
    store = rotating_stores.store_of(parameters, CONNECTION, patience(monkeypatch, []))
    with pytest.raises(MastodonError, match="Give it to the server first, beside the old one"):
        store.admit(OLD, NEW)
    known |= set(NEW.values())
    assert store.admit(OLD, NEW).endswith("lets it in")
    assert store.dismiss(NEW, OLD).endswith("still lets the old one in: take it away there")
    known -= set(OLD.values())
    assert store.dismiss(NEW, OLD).endswith("refuses the old one")


SMTP = {"host": "smtp.example.org", "port": 587, "tls": False, "starttls": "always", "method": "plain", "verify": True}
S3 = {"endpoint": "https://s3.example.org", "bucket": "media", "region": "us-east-1"}
LOGINS: Mapping[str, Any] = {"smtp": (SMTP, "username", "password"), "s3": (S3, "access-key-id", "secret-access-key")}


@pytest.mark.parametrize("option", LOGINS)
def test_mail_and_media_are_opened_by_both_until_you_take_the_old_one_away(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    wanted, name, word = LOGINS[option]
    known = {"canary-old"}

    def handshake(login: smtp.Login, _dial: Any) -> str:
        if login.password not in known:
            raise smtp.RefusedError("Mail server", "does not accept the login")
        return ""

    def write_and_remove(bucket: Any) -> str:
        if bucket._keys.secret_key not in known:
            raise UnknownKeysError("Bucket", "writing failed")
        return ""

    monkeypatch.setattr(smtp, "handshake", handshake)
    monkeypatch.setattr(rotating_stores, "write_and_remove", write_and_remove)
    parameters = {**dict.fromkeys(rotating_stores.STORES), "mount": "secret", "path": "m", option: wanted}
    store = rotating_stores.store_of(parameters, CONNECTION, patience(monkeypatch, []))
    old, new = {name: "name", word: "canary-old"}, {name: "name", word: "canary-new"}
    with pytest.raises(MastodonError, match="Give it to the server first, beside the old one"):
        store.admit(old, new)
    known.add("canary-new")
    assert store.admit(old, new).endswith("lets it in")
    assert store.dismiss(new, old).endswith("still lets the old one in: take it away there")
    known.discard("canary-old")
    assert store.dismiss(new, old).endswith("refuses the old one")


def of_s3(monkeypatch: pytest.MonkeyPatch, refusal: Exception | None = None) -> tuple[rotating.Store, rotating.Values]:
    """Return a bucket that takes the new keys, and answers so to others; and the new keys."""

    def write_and_remove(bucket: Any) -> str:
        if refusal and bucket._keys.secret_key != "canary-new":
            raise refusal
        return ""

    monkeypatch.setattr(rotating_stores, "write_and_remove", write_and_remove)
    parameters = {**dict.fromkeys(rotating_stores.STORES), "mount": "secret", "path": "m", "s3": S3}
    store = rotating_stores.store_of(parameters, CONNECTION, patience(monkeypatch, []))
    return store, {"access-key-id": "name", "secret-access-key": "canary-new"}


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("code", ["Unauthorized", "AccessDenied", "InvalidArgument", "InvalidAccessKeyId"])
def test_old_keys_that_a_store_refuses_in_its_own_words_keep_no_rotation_from_its_end(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    answer = answers.Answer(status, f"<Error><Code>{code}</Code></Error>".encode())
    store, new = of_s3(monkeypatch, answers.refused("Bucket media", "writing x", answer, "Vault path m"))
    assert store.dismiss(new, {**new, "secret-access-key": "canary-old"}).endswith("refuses the old one")


@pytest.mark.parametrize("old", ["canary-old\n", " canary-old", "canary-øld"])
def test_old_keys_that_cannot_be_sent_open_nothing(monkeypatch: pytest.MonkeyPatch, old: str) -> None:
    store, new = of_s3(monkeypatch)
    assert store.dismiss(new, {**new, "secret-access-key": old}).endswith("refuses the old one")


@pytest.mark.parametrize("status", [404, 409, 500, 503])
def test_what_cannot_be_found_out_of_old_keys_is_said_and_keeps_nothing_from_its_end(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    store, new = of_s3(
        monkeypatch, answers.refused("Bucket media", "writing x", answers.Answer(status), "Vault path m")
    )
    done = store.dismiss(new, {**new, "secret-access-key": "canary-old"})
    assert done.startswith("skipped whether Bucket media at https://s3.example.org still lets the old one in")
    assert f"writing x failed: {status} " in done
    assert done.endswith("Take it away there")


def test_a_server_that_is_gone_once_the_new_one_was_proved_is_waited_for_and_then_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = rotating.Yours("Redis cache", lambda values: None, patience(monkeypatch, [], seconds=0))
    calls = iter([None, OSError("connection refused")])

    def log_in(_values: Any) -> None:
        if error := next(calls):
            raise error

    done = replace(store, log_in=log_in).dismiss(NEW, OLD)
    assert done.startswith("skipped whether Redis cache still lets the old one in: A server: does not answer")


def test_new_keys_without_a_right_are_refused_by_the_right_that_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = answers.Answer(403, b"<Error><Code>AccessDenied</Code></Error>")
    store, new = of_s3(monkeypatch, answers.refused("Bucket media", "writing x", denied, "Vault path m"))
    with pytest.raises(MastodonError, match="Give the keys in Vault path m this right"):
        store.admit(new, {**new, "secret-access-key": "canary-next"})
