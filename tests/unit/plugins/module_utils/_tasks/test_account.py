# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's account against a tootctl and a Vault in memory, interrupted and raced wherever that can happen."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.stores import NotAskedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import Finished
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import account
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import LostRaceError, Stored

PARAMETERS = {
    "namespace": "mastodon",
    "name": "mastodon",
    "username": "alice",
    "email": "alice@example.org",
    "role": "Owner",
    "mount": "secret",
    "path": "mastodon/example.org/admin",
    "database": {
        "host": "mastodon-db-rw.mastodon.svc",
        "port": 5432,
        "username": "mastodon",
        "database": "mastodon",
        "path": "mastodon/example.org/postgresql",
        "sslmode": "prefer",
    },
}


class Interrupted(BaseException):
    """The run was killed."""


class World:
    """A database of accounts and one path of Vault."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.versions: list[dict[str, str] | None] = []
        self.commands: list[tuple[str, ...]] = []
        self.said: list[str] = []
        self.steps = 0
        self.killed_at = -1
        self.other_run: Callable[[], object] = lambda: None
        self.has_roles = True
        self.refused: set[str] = set()
        self.is_reachable = True

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.killed_at:
            raise Interrupted

    def tootctl(self, *arguments: str) -> Finished:
        self.step()
        self.commands.append(arguments)
        _accounts, verb, name, *options = arguments
        if verb == "modify" and name not in self.accounts:
            return Finished(1, "No user with such username\n", "")
        if verb == "create":
            if not self.has_roles:
                return Finished(1, "", "Cannot find user role with that name\n")
            if name in self.accounts:
                return Finished(1, "Failure/Error: username\n    has already been taken\n", "")
            address = options[options.index("--email") + 1]
            if address in self.refused or address in (one.get("email") for one in self.accounts.values()):
                return Finished(1, "Failure/Error: email\n    has already been taken\n", "")
            self.accounts[name] = {"approved": "--approve" in options, "role": options[-1], "email": address}
        if verb == "modify" and "--reset-password" not in options:
            return Finished(0, "OK\n", "")
        self.accounts[name]["approved"] |= "--approve" in options
        self.accounts[name]["password"] = f"canary{random.getrandbits(64):016x}"
        done = Finished(0, f"OK\nNew password: {self.accounts[name]['password']}\n", "")
        self.step()
        return done

    def seed(self) -> Finished:
        self.step()
        self.has_roles = True
        return Finished(0, "", "")

    def address(self) -> str:
        self.step()
        if not self.is_reachable:
            raise NotAskedError("PostgreSQL db", "cannot be asked", "no route", "Make it reachable")
        return str(self.accounts["alice"]["email"])

    def read(self, *_unused: Any) -> Stored:
        self.step()
        if not self.versions:
            return Stored()
        newest = self.versions[-1]
        return Stored(len(self.versions), newest or {}, "" if newest is not None else "2026-11-01")

    def write(self, _server: Any, _mount: str, _path: str, data: dict[str, str], version: int) -> int:
        self.step()
        self.other_run()
        if version != len(self.versions):
            raise LostRaceError
        self.versions.append(dict(data))
        return len(self.versions)

    def run(self, *, check: bool = False) -> dict[str, Any]:
        return account.run_task(PARAMETERS, Run(check=check, diff=False, say=self.said.append, environment={}))

    def whole(self) -> None:
        """The account is there, approved, and Vault holds the password that opens it."""
        kept = self.versions[-1]
        assert kept
        assert self.accounts["alice"]["approved"]
        assert kept["password"] == self.accounts["alice"]["password"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    here = World()
    monkeypatch.setattr(account.vault, "connect", lambda *_unused: None)
    monkeypatch.setattr(account, "_mastodon", lambda *_unused: account.Mastodon(here.tootctl, here.seed, here.address))
    monkeypatch.setattr(account.kv, "read", here.read)
    monkeypatch.setattr(account.kv, "write", here.write)
    return here


def answered(monkeypatch: pytest.MonkeyPatch, tootctl: account.Tootctl, seeds: int = 0) -> None:
    monkeypatch.setattr(
        account, "_mastodon", lambda *_unused: account.Mastodon(tootctl, lambda: Finished(seeds, "", ""), str)
    )


def test_the_account_is_made_confirmed_and_approved_and_its_password_is_in_vault_only(world: World) -> None:
    result = world.run()
    assert result == {"changed": True, "action": "created", "path": "secret/mastodon/example.org/admin"}
    world.whole()
    assert world.accounts["alice"]["role"] == "Owner"
    assert "--confirmed" in world.commands[-1]
    assert "canary" not in f"{result}{world.said}{world.commands}"
    assert world.said == ["created account alice: password at Vault path secret/mastodon/example.org/admin"]


def test_the_second_run_asks_no_pod(world: World) -> None:
    world.run()
    world.commands.clear()
    assert world.run()["action"] == "unchanged"
    assert world.commands == []


def test_an_account_of_before_is_left_as_it_is_and_asked_for_once(world: World) -> None:
    world.accounts["alice"] = {"password": "hers"}
    assert world.run()["action"] == "adopted"
    assert world.accounts["alice"] == {"password": "hers"}
    world.commands.clear()
    assert world.run()["action"] == "unchanged"
    assert world.commands == []


@pytest.mark.parametrize("has_roles", [True, False])
@pytest.mark.parametrize("step", range(1, 9))
def test_a_run_killed_anywhere_is_finished_by_the_next(world: World, step: int, has_roles: bool) -> None:
    world.has_roles = has_roles
    world.killed_at = step
    with pytest.raises(Interrupted):
        world.run()
    world.killed_at = -1
    world.run()
    world.whole()


STRANGER = {"approved": False, "role": "", "password": "strangers", "email": "eve@example.net"}
REMEDY = (
    "If it is yours, run bao kv metadata delete secret/mastodon/example.org/admin: it is then left as it is. If not, set "
    "mastodon_admin_username, too."
)


def interrupted(world: World) -> None:
    """Leave an entry without a password, and no account."""
    world.killed_at = 5
    with pytest.raises(Interrupted):
        world.run()
    world.killed_at = -1
    assert world.accounts == {}
    assert [sorted(entry or {}) for entry in world.versions] == [["email", "made-by", "username"]]


def test_who_took_the_name_while_no_run_went_on_keeps_the_password(world: World) -> None:
    interrupted(world)
    world.accounts["alice"] = dict(STRANGER)
    for _again in range(2):
        with pytest.raises(MastodonError) as refusal:
            world.run()
    assert str(refusal.value) == (
        "Account alice: is not touched: it has another address than mastodon_admin_email, and was made while "
        f"secret/mastodon/example.org/admin had no password for it yet. {REMEDY}"
    )
    assert world.accounts == {"alice": STRANGER}
    # As that sentence says.
    world.versions.clear()
    assert world.run()["action"] == "adopted"
    assert world.accounts == {"alice": STRANGER}


def test_who_took_the_name_after_its_address_was_refused_keeps_the_password(world: World) -> None:
    world.refused = {"alice@example.org"}
    with pytest.raises(MastodonError, match="cannot be made: tootctl ended with 1: taken"):
        world.run()
    world.refused = set()
    world.accounts["alice"] = dict(STRANGER)
    with pytest.raises(MastodonError, match="is not touched"):
        world.run()
    assert world.accounts == {"alice": STRANGER}


def test_who_takes_the_name_in_the_same_moment_keeps_the_password(world: World) -> None:
    def somebody() -> None:
        world.accounts.setdefault("alice", dict(STRANGER))

    world.other_run = somebody
    with pytest.raises(MastodonError, match="is not touched"):
        world.run()
    assert world.accounts == {"alice": STRANGER}


def test_a_password_is_not_reset_while_nothing_says_whose_the_account_is(world: World) -> None:
    interrupted(world)
    world.accounts["alice"], world.is_reachable = dict(STRANGER), False
    with pytest.raises(MastodonError) as refusal:
        world.run()
    assert str(refusal.value) == (
        f"Account alice: may be somebody else's: PostgreSQL db cannot be asked for its address: no route. {REMEDY}"
    )
    assert world.accounts == {"alice": STRANGER}


def test_an_account_of_the_address_that_was_set_before_is_ours_as_well(world: World) -> None:
    interrupted(world)
    world.accounts["alice"] = {**STRANGER, "email": "Alice@Example.org"}
    assert world.run()["action"] == "created"
    world.whole()


def test_of_two_runs_at_once_both_end_with_the_right_password(world: World) -> None:
    ran: list[str] = []

    def other() -> None:
        world.other_run = lambda: None
        ran.append(world.run()["action"])

    world.other_run = other
    world.run()
    assert ran == ["created"]
    world.whole()


def test_check_mode_asks_no_pod_and_writes_nothing(world: World) -> None:
    assert world.run(check=True)["changed"]
    assert world.commands == []
    assert world.versions == []


def test_a_deleted_password_is_not_made_anew(world: World) -> None:
    world.run()
    world.versions.append(None)
    with pytest.raises(MastodonError, match=r"is deleted: .* Bring it back: bao kv undelete"):
        world.run()


@pytest.mark.parametrize(
    ("finished", "reported"),
    [
        (
            Finished(1, "Failure/Error: username\n    is reserved\nNew password: canary\n", ""),
            "ended with 1: reserved.",
        ),
        (Finished(0, "OK\nNew  password: canary\n", "canary"), "ended with 0: it printed no password."),
        (Finished(0, "canary", ""), "ended with 0: it printed no password."),
        (Finished(1, "canary", ""), "ended with 1."),
        (Finished(1, "canary", "could not connect, canary0123456789abcdef"), "ended with 1: could not connect, …."),
        (
            Finished(1, "", "Failure/Error: email\n    unreachable\n"),
            "ended with 1: unreachable. Pods must find the mail server (MX, A or AAAA) of example.org in DNS, "
            "or correct mastodon_admin_email.",
        ),
    ],
)
def test_whatever_tootctl_prints_no_password_is_reported(
    world: World, monkeypatch: pytest.MonkeyPatch, finished: Finished, reported: str
) -> None:
    unknown = Finished(1, "No user with such username", "")
    answers = [unknown, finished, unknown]
    answered(monkeypatch, lambda *_arguments: answers.pop(0))
    with pytest.raises(MastodonError) as refusal:
        world.run()
    assert f"Account alice: cannot be made: tootctl {reported}" in str(refusal.value)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"note": "for later"},
        {"password": "of the router"},
        {"username": "alice", "email": "alice@example.org"},
        {"username": "bob", "email": "bob@example.org", "password": "his", "made-by": "fediverse.mastodon"},
        {"username": "bob", "made-by": "fediverse.mastodon"},
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_an_entry_that_is_not_ours_resets_no_password_and_is_not_overwritten(
    world: World, entry: dict[str, str], there: bool
) -> None:
    world.versions.append(dict(entry))
    world.accounts = {"alice": {"password": "hers"}} if there else {}
    for check in (True, False):
        with pytest.raises(MastodonError) as refusal:
            world.run(check=check)
        assert str(refusal.value) == (
            "Vault path secret/mastodon/example.org/admin: is not touched: what it holds was not put there for account alice. "
            "Set mastodon_admin_vault_path to another path, or delete this one if nobody needs it."
        )
    assert world.versions == [entry]
    assert world.accounts == ({"alice": {"password": "hers"}} if there else {})
    assert world.commands == []


def test_an_entry_put_there_while_a_run_looks_is_not_overwritten(world: World) -> None:
    def somebody() -> None:
        world.other_run = lambda: None
        world.versions.append({"note": "mine"})

    world.other_run = somebody
    with pytest.raises(MastodonError, match="is not touched"):
        world.run()
    assert world.versions == [{"note": "mine"}]
    assert world.accounts == {}


def test_the_entry_of_an_older_release_is_known_again(world: World) -> None:
    world.versions.append({"username": "alice", "email": "alice@example.org", "password": "hers"})
    assert world.run()["action"] == "unchanged"
    assert world.commands == []


def test_a_database_out_of_reach_is_no_missing_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, lambda *_arguments: Finished(1, "", "could not connect"))
    with pytest.raises(
        MastodonError, match="Account alice: cannot be looked up: tootctl ended with 1: could not connect"
    ):
        world.run()
    assert world.versions == []


def test_roles_that_were_never_sown_are_before_the_account_is_made(world: World) -> None:
    world.has_roles = False
    assert world.run()["action"] == "created"
    world.whole()


@pytest.mark.parametrize("seeds", [0, 1])
def test_a_role_that_no_seed_makes_is_named_with_what_makes_roles(
    world: World, monkeypatch: pytest.MonkeyPatch, seeds: int
) -> None:
    def tootctl(*arguments: str) -> Finished:
        missing = "Cannot find user role with that name"
        return Finished(1, "", missing if arguments[1] == "create" else "No user with such username")

    answered(monkeypatch, tootctl, seeds)
    with pytest.raises(MastodonError) as refusal:
        world.run()
    assert str(refusal.value) == (
        "Account alice: cannot be made: tootctl ended with 1: Cannot find user role with that name. "
        "See what `bundle exec rake db:seed` says in a pod of web, which makes the roles."
    )
