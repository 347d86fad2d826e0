# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a verdict: a check starts failed, passes positively, or says why it was skipped."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import secret as secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import NoPodError, NotThereError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import NotReadyError, RefusedLoginError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import redis_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import stores

WELL = {"redis_version": "7.2.5", "maxmemory_policy": "noeviction"}


def encoded(**data: str) -> list[dict[str, Any]]:
    return [{"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The Secrets that the cluster has."""
    items = encoded(password="kept")
    monkeypatch.setattr(stores, "connect", lambda *_unused: None)
    monkeypatch.setattr(redis_check.redis_server, "refuse_tls", lambda _server: None)
    monkeypatch.setattr(stores, "open_objects", lambda *_unused: None)
    monkeypatch.setattr(
        secrets, "open_objects", lambda *_unused: SimpleNamespace(read=lambda *_asked: Listing(tuple(items), "1"))
    )
    return items


def run(
    port: int = 6379, *, host: str = "127.0.0.1", check: bool = False, managed: bool = False
) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    parameters = {name: option.get("default") for name, option in redis_check.ARGUMENTS.options.items()}
    parameters |= {
        "host": host,
        "port": port,
        "managed": managed,
        "secret_namespace": "mastodon",
        "secret_name": "mastodon-redis",
    }
    return redis_check.run_task(parameters, Run(check=check, diff=False, say=said.append, environment={})), said


def test_a_good_server_passes_in_silence(found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_server: Any, password: str) -> dict[str, str]:
        asked.append(password)
        return WELL

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    result, said = run()
    assert (result["verdict"], result["changed"], said) == ("passed", False, [])
    assert asked == ["kept"]
    assert "kept" not in str(result)


def test_a_server_out_of_reach_is_skipped_and_reported(found: list[dict[str, Any]], closed_port: int) -> None:
    result, said = run(closed_port)
    assert result["verdict"] == "skipped"
    assert said == [result["result"]]
    assert said[0].startswith(f"skipped the check of Redis 127.0.0.1:{closed_port}, which cannot be asked from here: ")


def test_a_server_that_restarts_is_waited_for(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    answers = iter([NotReadyError("Redis", "starts"), NoPodError("Service a/b", "no pod"), WELL])

    def ask(*_unused: Any) -> dict[str, str]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    result, said = run()
    assert result["verdict"] == "passed"
    assert said == [
        "waiting for Redis 127.0.0.1:6379: Redis: starts.",
        "waiting for Redis 127.0.0.1:6379: Service a/b: no pod.",
    ]
    assert len(slept) == 2


def test_a_managed_server_that_does_not_know_a_new_password_yet_is_waited_for(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    answers: list[Any] = [RefusedLoginError("Redis", "does not accept the password"), WELL]

    def ask(*_unused: Any) -> dict[str, str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    result, said = run(managed=True)
    assert (result["verdict"], len(slept)) == ("passed", 1)
    assert said == ["waiting for Redis 127.0.0.1:6379: Redis: does not accept the password."]


@pytest.mark.parametrize(("managed", "check"), [(False, False), (False, True), (True, True)])
def test_a_password_that_nobody_will_tell_the_server_is_refused_at_once(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float], managed: bool, check: bool
) -> None:
    def ask(*_unused: Any) -> None:
        raise RefusedLoginError("Redis", "does not accept the password")

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    with pytest.raises(MastodonError, match="does not accept the password"):
        run(managed=managed, check=check)
    assert slept == []


def test_a_server_that_never_gets_ready_fails_in_the_end(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    def ask(*_unused: Any) -> None:
        raise NotReadyError("Redis", "starts")

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    with pytest.raises(NotReadyError):
        run()
    assert sum(slept) == 120


def test_a_server_in_the_cluster_that_never_answers_is_not_skipped(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    def ask(*_unused: Any) -> None:
        raise OSError("Connection closed by server.")

    monkeypatch.setattr(redis_check.redis_server, "ask", ask)
    with pytest.raises(NotReadyError, match=r"cache\.mastodon\.svc:6379: does not answer: Connection closed by server"):
        run(host="cache.mastodon.svc")
    assert sum(slept) == 120


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, which pass at once."""
    pauses: list[float] = []
    monkeypatch.setattr(stores, "_sleep", pauses.append)
    return pauses


def refuse_to_dial(*_unused: Any) -> None:
    raise NotThereError("Service mastodon/cache", "does not exist")


def test_a_server_in_the_cluster_that_is_not_there_fails_a_run_but_not_check_mode(
    found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setattr(stores.forward, "dial", refuse_to_dial)
    with pytest.raises(MastodonError, match="Service mastodon/cache: does not exist"):
        run(host="cache.mastodon.svc")
    assert slept == []
    result, said = run(host="cache.mastodon.svc", check=True)
    assert result["verdict"] == "skipped"
    assert "does not exist" in said[0]


def test_without_its_login_nothing_can_be_asked(found: list[dict[str, Any]]) -> None:
    found.clear()
    with pytest.raises(MastodonError, match="Secret mastodon/mastodon-redis: does not exist"):
        run()


def test_in_check_mode_the_login_may_not_be_made_yet(found: list[dict[str, Any]]) -> None:
    found.clear()
    result, said = run(check=True)
    assert result["verdict"] == "skipped"
    assert "Secret mastodon/mastodon-redis is not created yet" in said[0]


def test_a_login_without_its_password_is_named(found: list[dict[str, Any]]) -> None:
    found[:] = encoded(other="x")
    with pytest.raises(MastodonError, match="Secret mastodon/mastodon-redis: has no password"):
        run()
