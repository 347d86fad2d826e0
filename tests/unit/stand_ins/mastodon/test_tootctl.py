# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from mastodon_stand_in import VERSION, accounts, cleaning, migrating, rake, registrations, tootctl
from mastodon_stand_in.__main__ import main as command
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.database import Database
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import RedisSettings

from .browser import QUEUES
from .servers import MemoryBucket, execute


@pytest.fixture
def pod(environment: dict[str, str], services: Services, redis_settings: RedisSettings) -> dict[str, str]:
    """The environment of a web pod whose servers are there."""
    database = services.database.settings
    servers = {"DB_HOST": database.host, "DB_NAME": database.name, "DB_USER": database.user}
    cache = {"REDIS_HOST": redis_settings.host, "REDIS_PORT": str(redis_settings.port), "REDIS_PASSWORD": ""}
    return {**environment, **servers, **cache}


def run(pod: dict[str, str], capsys: pytest.CaptureFixture[str], *words: str) -> str:
    tootctl.main([*words], pod)
    return capsys.readouterr().out


def found(services: Services, name: str = "admin") -> Account:
    with services.database.transaction() as cursor:
        account = accounts.find(cursor, name)
    assert account
    return account


def mails(jobs: Redis) -> list[str]:
    kinds = []
    while job := jobs.take(QUEUES, 0.05):
        kinds.append(job["args"][1])
    return kinds


CREATE = ("accounts", "create", "admin", "--email", "admin@lab.test")


def test_an_account_is_made_and_its_password_printed(
    pod: dict[str, str], services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run(pod, capsys, *CREATE, "--confirmed", "--approve", "--role", "Owner")
    assert re.fullmatch(r"OK\nNew password: [0-9a-f]{32}\n", printed)
    admin = found(services)
    assert (admin.is_active, admin.role) == (True, "Owner")
    assert mails(services.jobs) == []


def test_there_are_no_roles_when_the_first_prepare_ended_before_its_seeds_and_no_second_sows_them(
    pod: dict[str, str],
    empty: Database,
    keys: Keys,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as ended:
        ended.setattr(migrating, "sow", raises)
        with pytest.raises(KeyboardInterrupt):
            migrating.prepare(empty, keys)
    migrating.prepare(empty, keys)
    pod["DB_NAME"] = empty.settings.name
    with pytest.raises(RefusalError, match="Cannot find user role"):
        run(pod, capsys, *CREATE, "--role", "Owner")
    for _again in range(2):
        rake.main(["db:seed"], pod)
    assert "New password" in run(pod, capsys, *CREATE, "--role", "Owner")


def raises(_database: Database) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("options", "is_active", "mailed"),
    [
        (("--approve",), False, ["confirmation_instructions"]),
        (("--confirmed",), False, []),
        ((), False, ["confirmation_instructions"]),
    ],
)
def test_a_user_waits_for_approval_and_confirmation(
    pod: dict[str, str],
    services: Services,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    is_active: bool,
    mailed: list[str],
) -> None:
    run(pod, capsys, *CREATE, *options)
    assert found(services).is_active is is_active
    assert mails(services.jobs) == mailed
    assert run(pod, capsys, "accounts", "modify", "admin", "--approve", "--confirm") == "OK\n"
    assert found(services).is_active


def test_a_password_is_reset_and_printed(
    pod: dict[str, str], services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(pod, capsys, *CREATE, "--confirmed")
    second = run(pod, capsys, "accounts", "modify", "admin", "--reset-password")
    assert second.startswith("OK\nNew password: ")
    assert first != second
    assert mails(services.jobs) == ["password_change"]


@pytest.mark.parametrize(
    ("who", "waiting"),
    [(("one",), ["two", "three"]), (("--number", "2"), ["three"]), (("--all",), [])],
)
def test_those_who_wait_are_approved(
    pod: dict[str, str],
    services: Services,
    capsys: pytest.CaptureFixture[str],
    who: tuple[str, ...],
    waiting: list[str],
) -> None:
    for name in ("one", "two", "three"):
        run(pod, capsys, "accounts", "create", name, "--email", f"{name}@lab.test", "--confirmed")
    assert run(pod, capsys, "accounts", "approve", *who) == "OK\n"
    assert [name for name in ("one", "two", "three") if not found(services, name).is_active] == waiting


@pytest.mark.parametrize(("word", "mode"), [("open", "open"), ("approved", "approved"), ("close", "none")])
def test_registrations_are_opened_and_closed(
    pod: dict[str, str], services: Services, capsys: pytest.CaptureFixture[str], word: str, mode: str
) -> None:
    assert run(pod, capsys, "settings", "registrations", word) == "OK\n"
    with services.database.transaction() as cursor:
        assert registrations.mode(cursor) == mode


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*CREATE, "--role", "King"), "^Cannot find user role with that name$"),
        (("accounts", "create", "a b", "--email", "a@b"), "Username 'a b': it is not valid"),
        (("accounts", "create", "a", "--email", "ab"), "E-mail 'ab': it is not valid"),
        (("accounts", "modify", "nobody", "--approve"), "no user with such username"),
        (("accounts", "approve", "nobody"), "no user with such username"),
        (("accounts", "approve"), "accounts approve: nobody is named"),
    ],
)
def test_what_cannot_be_done_is_refused(
    pod: dict[str, str], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RefusalError, match=message):
        run(pod, capsys, *words)


def test_an_account_is_made_once(pod: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run(pod, capsys, *CREATE)
    with pytest.raises(RefusalError, match="already been taken"):
        run(pod, capsys, *CREATE)


def test_the_version_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["tootctl", "version"]) == 0
    assert capsys.readouterr().out == f"{VERSION}\n"


def test_a_refusal_is_one_line_and_a_failure(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**pod, "SECRET_KEY_BASE": ""}.items():
        monkeypatch.setenv(name, value)
    assert command(["tootctl", *CREATE]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("SECRET_KEY_BASE: it is missing or blank.")
    assert printed.err.count("\n") == 1


OLD = """
    INSERT INTO accounts (id, username, domain, uri) VALUES (1, 'far', 'one.test', 'https://one.test/far'), (2, 'near', NULL, NULL);
    INSERT INTO media_attachments (account_id, file_key, file_content_type, file_sha256, width, height, created_at)
    SELECT account, key, 'image/png', '', 1, 1, now() - age FROM (VALUES
        (1, 'far/old', interval '8 days'), (1, 'far/new', interval '6 days'), (2, 'near/old', interval '9 days')
    ) AS given (account, key, age);
    INSERT INTO preview_cards (url, image_key, updated_at) VALUES
        ('https://a.test', 'card/old', now() - interval '200 days'), ('https://b.test', 'card/new', now())
"""


@pytest.mark.parametrize(
    ("what", "days", "gone", "said"),
    [
        ("media", 7, {"far/old"}, "Removed 1 media attachments"),
        ("media", 5, {"far/old", "far/new"}, "Removed 2 media attachments"),
        ("preview_cards", 180, {"card/old"}, "Removed 1 preview cards"),
    ],
)
def test_old_copies_of_other_servers_files_are_removed(
    services: Services, what: str, days: int, gone: set[str], said: str
) -> None:
    execute(services.database.settings, OLD)
    bucket = services.bucket
    assert isinstance(bucket, MemoryBucket)
    bucket.objects = dict.fromkeys(("far/old", "far/new", "near/old", "card/old", "card/new"), b"")
    before = set(bucket.objects)
    assert cleaning.clean(what, days, services.database, bucket) == said
    assert before - set(bucket.objects) == gone
    assert cleaning.clean(what, days, services.database, bucket).startswith("Removed 0 ")


def test_a_job_that_cleans_wants_the_bucket_too(pod: dict[str, str]) -> None:
    with pytest.raises(RefusalError, match=r"^AWS_SECRET_ACCESS_KEY: it is missing"):
        tootctl.main(["media", "remove", "--days", "7"], {**pod, "AWS_SECRET_ACCESS_KEY": ""})


def test_home_timelines_are_made_again(
    pod: dict[str, str], services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    run(pod, capsys, *CREATE, "--confirmed", "--approve")
    account = found(services).id
    execute(
        services.database.settings,
        f"INSERT INTO statuses (account_id, text, visibility) VALUES ({account}, 'hello', 'public')",  # noqa: S608 ours
    )
    assert run(pod, capsys, "feeds", "build", "--all") == "Regenerated feeds for 1 accounts\n"
    assert services.jobs._client.zcard(f"feed:home:{account}") == 1
