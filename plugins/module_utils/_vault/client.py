# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only socket to Vault or OpenBao: hvac, with bounded retries and errors reported in one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, innermost
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watch_pools, within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked, parsed
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.login import given_token, login

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import hvac
    import requests
    from hvac import exceptions
    from requests.adapters import HTTPAdapter

T = TypeVar("T")

_ATTEMPTS = 5
_FIRST_PAUSE = 0.3
_SECONDS = 30
# By so much later ends what comes byte by byte, so that it is requests that reports a server that sends nothing.
_GRACE = 1
_BETWEEN = "Check that the address is Vault's, and what is in between."


class OddAnswerError(Exception):
    """An answer that Vault does not give: the page of a proxy, or nothing at all."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answers {status} with something else than Vault does")
        self.status = status


# What is no answer of Vault's, or not a whole one.
_ODD = (OddAnswerError, WrongShapeError, OverflowError, TimeoutError)


class Vault:
    """One server and one token. An answer is waited for `seconds` at most, however it comes."""

    def __init__(
        self, api: hvac.Client, sleep: Callable[[float], None] = time.sleep, seconds: float = _SECONDS
    ) -> None:
        self.api = api
        self._sleep = sleep
        self._seconds = seconds
        self._lost: MastodonError | None = None
        api.session.hooks["response"].append(_refuse_odd)

    @property
    def subject(self) -> str:
        """How errors name the server."""
        return f"Vault {self.api.url}"

    def call(self, about: str, rule: str, do: Callable[[], T]) -> T:
        """Return what `do` returns. `about` is what it reads or writes, `rule` the policy rule that allows it.

        What `do` takes out of an answer it takes with `at`. Raises MastodonError; InvalidPath passes, as it may be the answer
        to the question whether something is there.
        """
        if self._lost:
            # It was asked often enough.
            raise self._lost
        for attempt in range(_ATTEMPTS):
            try:
                with within(self._seconds + _GRACE):
                    return do()
            except exceptions.InvalidPath:
                raise
            except (exceptions.VaultError, requests.RequestException, *_ODD) as error:
                if attempt == _ATTEMPTS - 1 or not _may_pass(error):
                    failure = self._explained(about, rule, error)
                    self._lost = failure if isinstance(error, (requests.RequestException, TimeoutError)) else None
                    raise failure from error
                self._sleep(_FIRST_PAUSE * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _explained(self, about: str, rule: str, error: Exception) -> MastodonError:
        if isinstance(error, _ODD):
            return MastodonError(self.subject, f"{about} failed", str(error), _BETWEEN)
        if _hangs(error):
            why = f"no answer came within {self._seconds:.0f} s"
            return MastodonError(self.subject, f"{about} failed", why, _BETWEEN)
        if isinstance(error, requests.exceptions.SSLError):
            return MastodonError(
                self.subject, "TLS failed", _reason(error), "Set ca_cert to the authority's certificate."
            )
        if isinstance(error, requests.RequestException):
            return MastodonError(
                self.subject, "cannot be reached", _reason(error), "Check the address and that it is up."
            )
        if isinstance(error, exceptions.Forbidden):
            remedy = f"Give the token a policy with {rule}, or get a new token if it has expired."
            return MastodonError(self.subject, f"{about} is not allowed", "permission denied", remedy)
        if isinstance(error, exceptions.VaultDown) and "sealed" in str(error).lower():
            return sealed(self.subject)
        if isinstance(error, exceptions.InvalidRequest):
            return MastodonError(self.subject, f"{about} is refused", _reason(error), "Correct the setting it names.")
        return MastodonError(self.subject, f"{about} failed", _reason(error), "Read the server's log.")


def sealed(subject: str) -> MastodonError:
    """Return the error of a sealed server."""
    return MastodonError(subject, "is sealed", "", "Unseal it (vault operator unseal, or bao operator unseal).")


def connect(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Vault:
    """Return the server that the options, or else the environment, point at.

    Nothing is sent yet but a login, where one is asked for.
    """
    needs("hvac", "cryptography")
    address = parameters.get("address") or _either(environment, "ADDR")
    if not address:
        raise MastodonError("Vault", "no address", "", "Set vault_address, VAULT_ADDR or BAO_ADDR.")
    logs_in, seconds = login(parameters, environment), int(parameters.get("timeout") or _SECONDS)
    api = hvac.Client(
        url=str(address),
        # Else hvac takes one from the environment by itself.
        token="" if logs_in else given_token(parameters, environment),
        namespace=parameters.get("vault_namespace") or _either(environment, "NAMESPACE"),
        verify=_authority(parameters.get("ca_cert") or _either(environment, "CACERT")),
        timeout=seconds,
    )
    for scheme in ("http://", "https://"):
        adapter = HTTPAdapter()
        watch_pools(adapter.poolmanager)
        api.session.mount(scheme, adapter)
    vault = Vault(api, seconds=seconds)
    if logs_in:
        _log_in(vault, parameters["auth_method"], logs_in)
    return vault


def _refuse_odd(response: requests.Response, *_unused: Any, **_options: Any) -> None:
    """Raise OddAnswerError for what Vault does not answer. hvac takes all of it: with 404, for a path that holds nothing."""
    if response.status_code == 204:
        return
    try:
        answer = {} if response.is_redirect and urlsplit(response.headers["Location"]) else parsed(response.content)
    except (WrongShapeError, ValueError):
        answer = None
    if not isinstance(answer, dict) or not (response.is_redirect or _is_usual(response.status_code, answer)):
        raise OddAnswerError(response.status_code)
    # hvac reads no error of another type, such as one with a charset.
    response.headers["Content-Type"] = "application/json"


def _is_usual(status: int, answer: Mapping[str, Any]) -> bool:
    if status == 404:
        return isinstance(answer.get("errors"), list) or isinstance(answer.get("data"), dict)
    return status == 200 or status >= 400


def _either(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(f"VAULT_{name}") or environment.get(f"BAO_{name}")


def _authority(file: str | None) -> str | bool:
    if file and not Path(file).exists():
        # requests would end in an error of its own.
        raise MastodonError(
            f"File {file}", "does not exist", "it must hold the CA certificate of Vault", "Set vault_ca_cert."
        )
    return file or True


def _log_in(vault: Vault, method: str, do: Callable[[hvac.Client], Any]) -> None:
    """Log the client in. Raises MastodonError, with what to look at when the server refuses."""
    about = f"logging in by {method}"
    try:
        vault.api.token = vault.call(about, "", lambda: checked(do(vault.api), "auth", "client_token", kind=str))
    except exceptions.InvalidPath as error:
        raise MastodonError(
            vault.subject, f"{about} failed", "there is no such login", "Set vault_login_mount."
        ) from error
    except MastodonError as error:
        if isinstance(error.__cause__, (exceptions.Forbidden, exceptions.InvalidRequest)):
            remedy = "Check the role and what it is proved with, and that this namespace has them."
            raise MastodonError(vault.subject, f"{about} is refused", _reason(error.__cause__), remedy) from error
        raise


def _hangs(error: Exception) -> bool:
    # Within the body of an answer it is reported as another error of the connection.
    return isinstance(error, requests.RequestException) and "Read timed out" in str(error)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, OddAnswerError):
        return error.status == 429 or error.status >= 500
    # A wrong certificate stays wrong, a sealed server waits for a person, and one that hangs was waited for.
    if isinstance(error, requests.exceptions.SSLError) or "sealed" in str(error).lower() or _hangs(error):
        return False
    # A mount of KV version 2 that was made just now: https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/upgrade
    if isinstance(error, exceptions.InvalidRequest) and "unavailable for a brief period" in str(error):
        return True
    busy = (exceptions.RateLimitExceeded, exceptions.BadGateway, exceptions.InternalServerError, exceptions.VaultDown)
    return isinstance(error, (*busy, requests.ConnectionError, requests.Timeout))


def _reason(error: Exception) -> str:
    # hvac puts the request's address behind what happened.
    return innermost(error).partition(", on ")[0]
