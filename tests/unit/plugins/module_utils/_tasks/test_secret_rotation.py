# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a secret to another value, with a Vault, a cluster and a server in memory: killed anywhere, the next run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import rotated
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import RefusedLoginError, Server
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import secret_rotation
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault_client
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._vault.conftest import ADDRESS, FakeVault

PATH, OLD = "m/redis", "canary-old"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
SERVER = Server("Redis", "cache", 6379, "Vault path secret/m/redis")
STEPS = ("prepare", "promote", "finish")


class Killed(BaseException):
    """The process ends here."""


class Place:
    """What a run finds, and a server with a set of passwords."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.vault = FakeVault()
        session = requests.Session()
        session.mount("http://", self.vault)
        client = Vault(hvac.Client(url=ADDRESS, token="good", session=session), sleep=lambda _seconds: None)
        self.api, self.said, self.passwords = FakeApi(NAMESPACE), list[str](), {OLD}
        self.generate: dict[str, Any] = {"password": {"format": "password", "length": 32}}
        self.given: list[str] = []
        self.data(password=OLD, salt="")
        self.vault.versions["secret/data/m/fingerprint"] = [{"key": "5e" * 32}]
        monkeypatch.setattr(secret_rotation, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(secret_rotation, "open_objects", lambda connection: self.api)
        monkeypatch.setattr(vault_client, "connect", lambda parameters, environment: client)
        monkeypatch.setattr(secret_rotation, "store_of", lambda parameters, connection, patience: self)

    def data(self, **data: str) -> None:
        self.vault.versions.setdefault(f"secret/data/{PATH}", []).append(
            {key.replace("_", "-"): value for key, value in data.items() if value}
        )

    @property
    def held(self) -> Mapping[str, str]:
        found = self.vault.versions[f"secret/data/{PATH}"][-1]
        assert found is not None
        return found

    def admit(self, current: Mapping[str, str], following: Mapping[str, str]) -> str:
        if current["password"] not in self.passwords:
            raise RefusedLoginError(str(SERVER), "does not accept the password", "", SERVER.remedy)
        self.passwords.add(following["password"])
        return "Redis lets both in"

    def dismiss(self, current: Mapping[str, str], previous: Mapping[str, str]) -> str:
        assert current["password"] in self.passwords
        self.passwords.discard(previous["password"])
        return "Redis refuses the old one"

    def step(self, step: str, *, check: bool = False, name: str = "redis", accepted: str = "") -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        where = {"namespace": "mastodon", "name": "mastodon", "mount": "secret", "path": PATH, "keys": ["password"]}
        more = {
            "may_stay": [],
            "generate": self.generate,
            "vapid": False,
            "given": self.given,
            "fingerprint_key": "m/fingerprint",
        }
        named = {"secret": name, "accepted": accepted, "step": step, "wait_timeout": 0}
        return secret_rotation.run_task({**where, **more, **named}, run)

    def rotate(self) -> None:
        """Do what the playbook does: what is put in its place is not prepared again."""
        for step in STEPS:
            self.step(step)

    @property
    def kept(self) -> rotated.Rotated | None:
        return dict(rotated.read_all(self.api)).get("mastodon/mastodon")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_the_old_one_is_refused_and_what_is_said_and_kept_has_fingerprints_only(place: Place) -> None:
    place.rotate()
    new = place.held["password"]
    assert place.held == {"password": new}
    assert place.passwords == {new}
    assert len(new) == 32
    said = "\n".join(place.said)
    assert not [value for value in (OLD, new) if value in f"{said}{place.api.objects}"]
    kept = place.kept
    assert kept
    assert kept.secret == "redis"
    assert f"rotated redis: {kept.change}; Redis refuses the old one" in place.said
    old, _arrow, now = kept.change.removeprefix("password ").partition(" → ")
    assert (len(old), len(now)) == (12, 12)
    assert old != now


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(6))
def test_killed_at_any_write_the_next_run_goes_on_and_no_value_is_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int, late: bool
) -> None:
    count = 0

    def dying(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count - 1 == number and not late:
                raise Killed
            result = do(*arguments, **options)
            if count - 1 == number:
                raise Killed
            return result

        return done

    with monkeypatch.context() as dangerous:
        dangerous.setattr(kv, "write", dying(kv.write))
        dangerous.setattr(place, "admit", dying(place.admit))
        dangerous.setattr(place, "dismiss", dying(place.dismiss))
        with pytest.raises(Killed):
            place.rotate()
    # Whatever the server takes can still be read.
    versions = [one for one in place.vault.versions[f"secret/data/{PATH}"] if one]
    assert place.passwords <= {value for one in versions for value in one.values()}
    assert place.held["password"] in place.passwords
    prepared = place.held.get("password-next")
    place.rotate()
    assert place.passwords == {place.held["password"]}
    assert place.held.keys() == {"password"}
    assert prepared in (None, place.held["password"])


def test_in_check_mode_it_says_what_it_would_do_and_writes_nothing(place: Place) -> None:
    assert place.step("prepare", check=True)["state"] == "planned"
    assert [line for line in place.said if line.startswith("would rotate redis: password ")]
    assert place.held == {"password": OLD}
    assert place.kept is None
    place.step("prepare")
    place.step("promote")
    before = place.held
    assert [place.step(step, check=True)["state"] for step in STEPS] == ["planned"] * 3
    assert place.held == before


def test_what_the_inventory_gives_is_refused_as_it_would_come_back(place: Place) -> None:
    place.given = ["password"]
    with pytest.raises(
        MastodonError, match="Variable vault_given_secrets: is in the way of a new value: it gives password"
    ):
        place.step("prepare")
    assert place.held == {"password": OLD}


def test_what_only_people_can_give_is_asked_for(place: Place) -> None:
    place.generate = {}
    with pytest.raises(MastodonError, match="password-next missing: only you can give it"):
        place.step("prepare")
    place.data(password=OLD, password_next="canary-theirs")
    place.rotate()
    assert place.held == {"password": "canary-theirs"}


def test_a_server_that_refuses_the_new_one_leaves_all_as_it_is_and_a_record(place: Place) -> None:
    place.passwords = {"somebody's"}
    with pytest.raises(RefusedLoginError):
        place.step("prepare")
    with pytest.raises(RefusedLoginError):
        place.step("promote")
    assert place.held["password"] == OLD
    assert place.kept
    assert "does not accept the password" in place.kept.failure


@pytest.mark.parametrize(
    ("secret", "accepted", "sentence"),
    [
        ("active_record_encryption", "", "is not rotated: Mastodon reads one key of each kind"),
        ("active_record_encryption", "anything", "is not rotated: Mastodon reads one key of each kind"),
        ("vault", "", "is not rotated: nothing is stored"),
        (
            "vapid",
            "",
            "browsers get no notifications until people allow them again. Add -e rotate_accept=push_subscriptions_end",
        ),
        ("secret_key_base", "push_subscriptions_end", "everybody is signed out, and links in mails"),
    ],
)
def test_what_cannot_be_taken_back_is_refused_with_the_reason(
    place: Place, secret: str, accepted: str, sentence: str
) -> None:
    with pytest.raises(MastodonError) as refused:
        place.step("prepare", name=secret, accepted=accepted)
    assert sentence in str(refused.value)
    assert place.held == {"password": OLD}


def test_a_step_out_of_turn_is_refused(place: Place) -> None:
    with pytest.raises(MastodonError, match="password-next missing"):
        place.step("promote")
    with pytest.raises(MastodonError, match="has no new value in its place"):
        place.step("finish")
