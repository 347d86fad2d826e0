# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the server up, open, and does it accept the token?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import checked, texts
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault, sealed

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from hvac import exceptions


@dataclass(frozen=True)
class Health:
    """What a healthy server said of itself and of our token. `ttl` in seconds, 0 for a token that never expires."""

    version: str
    policies: tuple[str, ...]
    ttl: int


def check(vault: Vault) -> Health:
    """Return the server's health. Raises MastodonError when it is unreachable, not initialised, sealed or refuses the token."""
    version, is_initialised, is_sealed = vault.call("reading its health", "", lambda: _status(vault))
    if not is_initialised:
        raise MastodonError(
            vault.subject, "is not initialised", "", "Run vault operator init, or bao operator init, and unseal it."
        )
    if is_sealed:
        raise sealed(vault.subject)
    return Health(version, *_lookup(vault))


def _status(vault: Vault) -> tuple[str, bool, bool]:
    with _outside_of_namespaces(vault):
        # The codes for standby, sealed and uninitialised are no errors here.
        answer = vault.api.sys.read_health_status(
            method="GET", standby_ok=True, sealed_code=200, uninit_code=200, performance_standby_code=200
        )
    body = answer if isinstance(answer, dict) else answer.json()
    return (
        checked(body, "version", kind=str),
        checked(body, "initialized", kind=bool),
        checked(body, "sealed", kind=bool),
    )


@contextmanager
def _outside_of_namespaces(vault: Vault) -> Iterator[None]:
    # No namespace has a health: https://openbao.org/api-docs/system/health/
    namespace, vault.api.adapter.namespace = vault.api.adapter.namespace, None
    try:
        yield
    finally:
        vault.api.adapter.namespace = namespace


def _lookup(vault: Vault) -> tuple[tuple[str, ...], int]:
    try:
        return vault.call("looking up the token", "", lambda: _token(vault.api.auth.token.lookup_self()))
    except MastodonError as error:
        if not isinstance(error.__cause__, exceptions.Forbidden):
            raise
        remedy = "Log in again and set VAULT_TOKEN, BAO_TOKEN or vault_token_file."
        raise MastodonError(vault.subject, "does not accept the token", "it is wrong or has expired", remedy) from error


def _token(answer: object) -> tuple[tuple[str, ...], int]:
    data = checked(answer, "data", kind=dict)
    return tuple(texts(data, "policies")), checked(data, "ttl", kind=int, default=0)
