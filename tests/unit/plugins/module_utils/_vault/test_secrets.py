# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import generate, kv, secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

from .conftest import FakeVault

APP: dict[str, Any] = {
    "path": "app",
    "generate": {"key-base": {"format": "hex", "bytes": 64}, "are": {"format": "alphanumeric", "length": 32}},
    "vapid": {"private_key": "private", "public_key": "public"},
}
SMTP: dict[str, Any] = {"path": "smtp", "given": {}, "required": ["username", "password"]}
CANARY = "CANARY-never-to-be-seen"


def ensure(vault: Vault, *wanted: dict[str, Any], check: bool = False, key: str | None = "fp") -> list[dict[str, Any]]:
    return secrets.ensure(vault, "secret", wanted, key, check=check)


def writes(server: FakeVault) -> list[str]:
    return [call for call in server.calls if not call.startswith("GET")]


def test_an_absent_path_is_generated_in_one_version(vault: Vault, server: FakeVault) -> None:
    done = ensure(vault, APP)
    assert [(one["path"], one["action"], one["version"]) for one in done] == [
        ("fp", "created", 1),
        ("app", "created", 1),
    ]
    assert set(server.versions["secret/data/app"][0] or {}) == {"key-base", "are", "private", "public"}
    assert writes(server) == ["POST secret/data/fp", "POST secret/data/app"]


def test_a_second_run_reads_each_path_once_and_writes_nothing(vault: Vault, server: FakeVault) -> None:
    first = ensure(vault, APP)
    server.calls.clear()
    second = ensure(vault, APP)
    assert sorted(server.calls) == ["GET secret/data/app", "GET secret/data/fp"]
    assert [one["action"] for one in second] == ["unchanged", "unchanged"]
    assert [one["fingerprints"] for one in second] == [one["fingerprints"] for one in first]


def test_check_mode_writes_nothing_and_promises_no_fingerprint(vault: Vault, server: FakeVault) -> None:
    done = ensure(vault, APP, check=True)
    assert writes(server) == []
    assert [(one["action"], one["version"], one["fingerprints"]) for one in done] == [("created", 0, {})] * 2


def test_missing_keys_are_added_and_the_others_kept(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [{"are": "A" * 32, "mine": "kept"}]
    done = ensure(vault, APP, key=None)
    stored = server.versions["secret/data/app"][1] or {}
    assert (stored["are"], stored["mine"]) == ("A" * 32, "kept")
    assert done[0]["reasons"] == {"key-base": "generated", "private": "generated", "public": "generated"}


def test_of_two_runs_at_once_one_wins_and_both_use_its_secrets(vault: Vault, server: FakeVault) -> None:
    private, public = generate.vapid_pair()
    winner = {"key-base": "a" * 128, "are": "B" * 32, "private": private, "public": public}

    def somebody_was_faster(path: str) -> None:
        if path.endswith("/app") and not server.versions[path]:
            server.versions[path].append(winner)

    server.before_write = somebody_was_faster
    done = ensure(vault, APP)
    assert server.versions["secret/data/app"] == [winner]
    assert (done[1]["action"], done[1]["version"]) == ("unchanged", 1)
    assert done[1]["fingerprints"] == ensure(vault, APP)[1]["fingerprints"]


def test_a_deleted_secret_is_never_made_again(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [{"are": "A" * 32}, None]
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP)
    assert str(refused.value) == (
        "Vault path secret/app: is deleted: version 2 was deleted at 2026-11-01T00:00:00Z and is not created again. "
        "Bring it back: bao kv undelete -mount=secret -versions=2 app."
    )
    assert writes(server) == []


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"key-base": ""}, "key-base is malformed: it is empty"),
        ({"are": "A" * 32 + "\n"}, "are is malformed: it has white space at an end"),
        ({"are": "key_DO_NOT_USE_IN_PRODUCTION"}, "are is malformed: it is Mastodon's example for development"),
        ({"private": "", "public": "y"}, "private is malformed: it is empty"),
        ({"private": "x"}, "public missing: private is there without it"),
        ({"public": "x"}, "private missing: public is there without it"),
    ],
)
def test_a_malformed_secret_is_refused_not_mended(
    vault: Vault, server: FakeVault, stored: dict[str, Any], said: str
) -> None:
    server.versions["secret/data/app"] = [stored]
    with pytest.raises(MastodonError, match=said):
        ensure(vault, APP)
    assert writes(server) == []


def test_keys_of_another_generator_are_taken_as_they_are(vault: Vault, server: FakeVault) -> None:
    private, public = generate.vapid_pair()
    # Bitnami's chart makes ten characters; Rails takes any text.
    bitnami = {"key-base": "0A" * 64, "are": "aB3dE6gH9j", "private": private.rstrip("="), "public": public.rstrip("=")}
    server.versions["secret/data/app"] = [bitnami]
    assert [(one["action"], one["doubts"]) for one in ensure(vault, APP, key=None)] == [("unchanged", [])]
    assert server.versions["secret/data/app"] == [bitnami]


def test_a_vapid_pair_that_cannot_work_is_reported_and_left_alone(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [{"key-base": "a", "are": "b", "private": "x", "public": CANARY}]
    [reported] = ensure(vault, APP, key=None)
    assert reported["doubts"] == [
        "Vault path secret/app: no browser will get push notifications: the private key is not a P-256 key in url-safe "
        "base64. Restore the right pair."
    ]
    assert writes(server) == []


@pytest.mark.parametrize("newest", [{}, {"mine": "kept"}])
def test_what_an_older_version_holds_is_never_made_again(
    vault: Vault, server: FakeVault, newest: dict[str, str]
) -> None:
    private, public = generate.vapid_pair()
    old = {"key-base": "a", "are": "b", "private": private, "public": public}
    server.versions["secret/data/app"] = [old, {"are": "c"}, newest]
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP, SMTP)
    chosen = '{"are": ."are"}'
    assert str(refused.value) == (
        "Vault path secret/app: are missing: version 2 holds it, so it is not created again. Bring it back: "
        f"bao kv get -mount=secret -version=2 -format=json app | jq '.data.data | {chosen}' "
        f"| bao kv {'patch' if newest else 'put'} -mount=secret app -"
    )
    assert writes(server) == []


def test_what_any_older_version_holds_is_never_made_again_however_many_a_mount_keeps(
    vault: Vault, server: FakeVault
) -> None:
    server.versions["secret/data/app"] = [{"are": "c", "key-base": CANARY}, *[{"are": "c"}] * 69]
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP)
    assert "version 1 holds it, so it is not created again" in str(refused.value)


def test_older_versions_are_read_until_one_that_the_mount_keeps_no_more(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [{"are": "c", "private": "x", "public": "y"}] * 70
    server.trimmed = 60
    server.calls.clear()
    kept = list(kv.older(vault, "secret", "app", kv.read(vault, "secret", "app")))
    assert [one.version for one in kept] == list(range(69, 60, -1))
    assert len(server.calls) == 11


def test_what_a_deleted_older_version_may_hold_is_not_made_again(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [None, {"mine": "kept"}]
    with pytest.raises(MastodonError, match="version 1 is deleted and may hold it, so it is not created again"):
        ensure(vault, APP)
    server.destroyed.add(("secret/data/app", 1))
    assert ensure(vault, APP)[1]["action"] == "configured"


def test_a_destroyed_path_is_not_made_again(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/app"] = [None]
    server.destroyed.add(("secret/data/app", 1))
    with pytest.raises(MastodonError, match=r"is destroyed: version 1 .* Restore it from a backup of Vault"):
        ensure(vault, APP)
    assert writes(server) == []


def test_what_only_the_user_can_give_is_named_with_how_to_give_it(vault: Vault, server: FakeVault) -> None:
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP, SMTP)
    assert str(refused.value) == (
        "Vault path secret/smtp: username, password missing: only you can give it. "
        'Run bao kv put -mount=secret smtp - and type {"username": "…", "password": "…"} and Ctrl-D.'
    )
    assert writes(server) == [], "a path that is refused stops all"


def test_given_values_are_written_when_absent_or_different(vault: Vault, server: FakeVault) -> None:
    first = ensure(vault, {**SMTP, "given": {"username": "u", "password": "one"}}, key=None)
    same = ensure(vault, {**SMTP, "given": {"password": "one"}}, key=None)
    changed = ensure(vault, {**SMTP, "given": {"password": "two"}}, key=None)
    assert [run[0]["action"] for run in (first, same, changed)] == ["created", "unchanged", "configured"]
    assert server.versions["secret/data/smtp"][-1] == {"username": "u", "password": "two"}


def test_an_empty_required_value_is_missing(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/smtp"] = [{"username": "u", "password": ""}]
    with pytest.raises(MastodonError, match="password missing"):
        ensure(vault, SMTP)


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ("CANARY\n", "it begins or ends with a blank or a line break"),
        (" CANARY", "it begins or ends with a blank or a line break"),
        ("CAN\nARY", "there is a line break or another control character in it"),
        (4711, "it is not text, but a number, a list or the like"),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_a_secret_that_was_pasted_wrongly_is_named_and_not_shown(
    vault: Vault, server: FakeVault, value: Any, flaw: str, given: bool
) -> None:
    login = {"username": "u", "password": value}
    server.versions["secret/data/smtp"] = [{"username": "u", "password": "one"} if given else login]
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP, {**SMTP, "given": login if given else {}})
    assert str(refused.value) == (
        f"Vault path secret/smtp: cannot be used: password: {flaw}. "
        'Run bao kv patch -mount=secret smtp - and type {"password": "…"} and Ctrl-D.'
    )
    assert writes(server) == []


def test_a_right_secret_that_is_given_replaces_one_that_was_pasted_wrongly(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/smtp"] = [{"username": "u", "password": "one\n"}]
    ensure(vault, {**SMTP, "given": {"password": "one"}}, key=None)
    assert server.versions["secret/data/smtp"][-1] == {"username": "u", "password": "one"}


def test_what_else_lies_at_a_path_is_left_alone(vault: Vault, server: FakeVault) -> None:
    server.versions["secret/data/smtp"] = [{"username": "u", "password": "p", "port": 587, "note": "mine\n"}]
    assert ensure(vault, SMTP, key=None)[0]["action"] == "unchanged"


def test_no_value_is_seen_in_results_lines_reprs_or_errors(vault: Vault, server: FakeVault) -> None:
    given = {**SMTP, "given": {"username": CANARY, "password": CANARY}}
    results = ensure(vault, given)
    change = secrets.plan("secret", given, secrets.kv.read(vault, "secret", "smtp"))
    server.versions["secret/data/app"] = [{"are": f"{CANARY} "}]
    with pytest.raises(MastodonError) as refused:
        ensure(vault, APP)
    for shown in (repr(results), repr(secrets.lines(results, "secret")), repr(change), str(refused.value)):
        assert CANARY not in shown


def test_fingerprints_depend_on_key_path_name_and_value() -> None:
    base = secrets.fingerprint("00", "p", "k", "v")
    others = [("01", "p", "k", "v"), ("00", "q", "k", "v"), ("00", "p", "l", "v"), ("00", "p", "k", "w")]
    assert len({base, *(secrets.fingerprint(*other) for other in others)}) == 5
    assert len(base) == 12


def test_lines_name_what_was_done_with_which_key(vault: Vault) -> None:
    results = ensure(vault, {**SMTP, "given": {"username": "u", "password": "p"}}, key=None)
    assert secrets.lines(results, "secret") == ["created secret secret/smtp: password given, username given"]


@pytest.mark.parametrize("stored", [[], [{"key-base": "whatever"}]])
def test_a_format_that_nobody_knows_is_refused_before_anything_is_written(
    vault: Vault, server: FakeVault, stored: list[dict[str, Any] | None]
) -> None:
    server.versions["secret/data/app"] = stored
    with pytest.raises(MastodonError, match=r"^Format hx: not known: it is not one of alphanumeric, hex, password\."):
        ensure(vault, {"path": "app", "generate": {"key-base": {"format": "hx"}}})
    assert writes(server) == []
