# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported of Vault, our token's rights and the secrets that only people can give."""

from __future__ import annotations

from typing import Any

import hvac
import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

from .._vault.conftest import ADDRESS, FakeVault


class RightsVault(FakeVault):
    """Also tells what the token may do."""

    def __init__(self, **rights: list[str]) -> None:
        super().__init__()
        self.rights = rights

    def _answer(self, method: str, path: str, body: dict[str, Any], token: str | None) -> tuple[int, dict[str, Any]]:
        if path == "sys/capabilities-self":
            return 200, {"data": {asked: self.rights.get(asked, ["deny"]) for asked in body["paths"]}}
        return super()._answer(method, path, body, token)


def client(server: FakeVault) -> Vault:
    session = requests.Session()
    session.mount("http://", server)
    return Vault(hvac.Client(url=ADDRESS, token="good", session=session), sleep=lambda _seconds: None)


WANTED = [{"path": "a", "capabilities": ["read"]}, {"path": "b", "capabilities": ["create", "update"]}]


def test_a_server_that_is_well_tells_its_version() -> None:
    assert (
        vault.server(client(FakeVault())) == f"Vault {ADDRESS}: version 2.7.2, unsealed, accepts the token without end"
    )


@pytest.mark.parametrize("rights", [{"a": ["root"], "b": ["root"]}, {"a": ["read"], "b": ["update", "create", "list"]}])
def test_a_token_with_all_rights_passes(rights: dict[str, list[str]]) -> None:
    assert vault.capabilities(client(RightsVault(**rights)), WANTED).endswith(
        "the token may do all that role vault does"
    )


def test_missing_rights_are_reported_as_the_policy_that_gives_them() -> None:
    with pytest.raises(MastodonError) as caught:
        vault.capabilities(client(RightsVault(a=["read"], b=["create"])), WANTED)
    assert str(caught.value) == (
        f"Vault {ADDRESS}: the token lacks rights: 1 of 2 paths. "
        'Give the token a policy with path "b" { capabilities = ["create", "update"] }.'
    )


def test_a_secret_of_people_is_read_and_its_missing_keys_are_named() -> None:
    server = FakeVault()
    server.versions["secret/data/m/smtp"] = [{"username": "canary", "password": ""}]
    assert vault.given(client(server), "secret", "m/smtp", ["username"])["username"] == "canary"
    with pytest.raises(MastodonError) as caught:
        vault.given(client(server), "secret", "m/smtp", ["username", "password"])
    reported = str(caught.value)
    assert reported == (
        "Vault secret secret/m/smtp: is not complete: no password. "
        'Run bao kv patch -mount=secret m/smtp - and type {"password": "…"} and Ctrl-D.'
    )


def test_a_secret_of_people_that_was_pasted_wrongly_is_named_and_not_shown() -> None:
    server = FakeVault()
    server.versions["secret/data/m/smtp"] = [{"username": "canary", "password": "canary\n"}]
    with pytest.raises(MastodonError) as caught:
        vault.given(client(server), "secret", "m/smtp", ["username", "password"])
    reported = str(caught.value)
    assert reported.startswith("Vault secret secret/m/smtp: cannot be used: password: it begins or ends with a blank")
    assert "canary" not in reported
