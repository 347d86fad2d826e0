# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import health, kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault, connect

from .conftest import ADDRESS, FakeVault


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_trouble_is_waited_for(vault: Vault, server: FakeVault, status: int) -> None:
    server.failures = [(status, {"errors": ["busy"]})] * 3
    assert kv.read(vault, "secret", "x") == kv.Stored()
    assert len(server.calls) == 4


def test_a_mount_that_is_still_being_made_is_tried_again(vault: Vault, server: FakeVault) -> None:
    upgrading = "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period."
    server.failures = [(400, {"errors": [upgrading]})] * 3
    assert kv.read(vault, "secret", "x") == kv.Stored()
    assert len(server.calls) == 4


@pytest.mark.parametrize(
    "cause",
    [
        OSError(111, "Connection refused"),
        "HTTPConnection(host='vault.test', port=8200): Failed to establish a new connection: [Errno 111] Connection refused",
    ],
)
def test_a_lasting_trouble_ends_in_one_sentence(vault: Vault, server: FakeVault, cause: object) -> None:
    server.failures = [requests.ConnectionError(cause)] * 9
    with pytest.raises(MastodonError) as reported:
        kv.read(vault, "secret", "x")
    assert (
        str(reported.value)
        == f"Vault {ADDRESS}: cannot be reached: Connection refused. Check the address and that it is up."
    )
    assert len(server.calls) == 5


def test_a_server_that_was_asked_often_enough_is_not_asked_again(vault: Vault, server: FakeVault) -> None:
    server.failures = [requests.ConnectionError(OSError(111, "Connection refused"))] * 9
    for _unused in range(3):
        with pytest.raises(MastodonError, match="cannot be reached: Connection refused"):
            kv.read(vault, "secret", "x")
    assert len(server.calls) == 5


def test_a_version_that_is_to_be_deleted_later_is_there(vault: Vault, server: FakeVault) -> None:
    metadata = {"version": 1, "deletion_time": "2999-01-01T00:00:00Z", "destroyed": False}
    server.failures = [(200, {"data": {"data": {"key": "value"}, "metadata": metadata}})]
    assert kv.read(vault, "secret", "x") == kv.Stored(1, {"key": "value"})


def test_a_wrong_certificate_is_not_tried_again(vault: Vault, server: FakeVault) -> None:
    server.failures = [requests.exceptions.SSLError("certificate verify failed")] * 9
    with pytest.raises(MastodonError, match="TLS failed"):
        kv.read(vault, "secret", "x")
    assert len(server.calls) == 1


def test_a_sealed_server_is_named_at_once(vault: Vault, server: FakeVault) -> None:
    server.sealed = True
    for ask in (lambda: kv.read(vault, "secret", "x"), lambda: health.check(vault)):
        server.calls.clear()
        with pytest.raises(MastodonError, match=r"is sealed\. Unseal it"):
            ask()
        assert len(server.calls) == 1


def test_a_server_that_was_never_initialised_is_named(vault: Vault, server: FakeVault) -> None:
    server.initialized = False
    with pytest.raises(MastodonError, match="is not initialised"):
        health.check(vault)


def test_a_wrong_token_is_named_by_the_doctor(vault: Vault, server: FakeVault) -> None:
    server.token = "another"
    with pytest.raises(MastodonError, match="does not accept the token"):
        health.check(vault)


def test_a_missing_right_names_the_rule_that_gives_it(vault: Vault, server: FakeVault) -> None:
    server.token = "another"
    with pytest.raises(MastodonError) as reported:
        kv.read(vault, "secret", "x")
    assert 'path "secret/data/x" { capabilities = ["read"] }' in str(reported.value)


def test_a_healthy_server_tells_its_version_and_our_policies(vault: Vault) -> None:
    assert health.check(vault) == health.Health("2.7.2", ("root",), 0)


def test_the_token_file_goes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    options = {"address": ADDRESS, "token_file": str(tmp_path / "token")}
    assert connect(options, {"VAULT_TOKEN": "from-environment"}).api.token == "from-file"
    assert connect({"address": ADDRESS}, {"BAO_TOKEN": "bao"}).api.token == "bao"


@pytest.mark.parametrize("token", ["s.CANARY\n", " s.CANARY", "s.CAN\nARY"])
def test_a_token_that_was_pasted_wrongly_is_named_and_not_shown(tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token.strip()}\n\n" if token.strip().isprintable() else token)
    for options, environment in (({"token": token}, {}), ({}, {"VAULT_TOKEN": token}), ({}, {"BAO_TOKEN": token})):
        with pytest.raises(MastodonError) as reported:
            connect({"address": ADDRESS, **options}, environment)
        assert "Vault: the token of vault_token, VAULT_TOKEN or BAO_TOKEN cannot be used: " in str(reported.value)
        assert "CAN" not in str(reported.value)
    if "CANARY" in token:
        # Editors end a file with a line break.
        assert connect({"address": ADDRESS, "token_file": str(file)}, {}).api.token == "s.CANARY"
        return
    with pytest.raises(MastodonError, match=f"the token of {file} cannot be used"):
        connect({"address": ADDRESS, "token_file": str(file)}, {})


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_no_token_says_where_it_was_looked_for(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(MastodonError, match=f"Vault: no token: {file} cannot be read or is empty"):
        connect({"address": ADDRESS, "token_file": str(file)}, {})


def test_no_address_says_how_to_set_it() -> None:
    with pytest.raises(MastodonError, match="Set vault_address"):
        connect({}, {})
