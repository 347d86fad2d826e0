# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a task gets its token: given, from a file, or by logging in as an AppRole, a pod or the bearer of a JWT."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import hvac

# https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
_OF_POD = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def given_token(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Return the token that the options, the environment or a file have. Raises MastodonError when none does."""
    named = parameters.get("token_file")
    given = parameters.get("token") or (
        None if named else environment.get("VAULT_TOKEN") or environment.get("BAO_TOKEN")
    )
    if given:
        return _usable(str(given), "the token of vault_token, VAULT_TOKEN or BAO_TOKEN")
    file = Path(named) if named else Path(environment.get("HOME", "~")).expanduser() / ".vault-token"
    token = _read(file)
    if not token:
        remedy = "Set VAULT_TOKEN or BAO_TOKEN, or log in so that the file is written."
        raise MastodonError("Vault", "no token", f"{file} cannot be read or is empty", remedy)
    return _usable(token, f"the token of {file}")


def login(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Callable[[hvac.Client], Any] | None:
    """Return what logs a client in, None where a token is given. Raises MastodonError when something it takes is missing."""
    method = parameters.get("auth_method") or "token"
    if method == "token":
        return None
    mount = (parameters.get("login_mount") or method).strip("/")
    if method == "approle":
        role = _needed(parameters.get("role_id") or environment.get("VAULT_ROLE_ID"), "vault_role_id", method)
        secret = parameters.get("secret_id") or environment.get("VAULT_SECRET_ID")
        secret = _usable(str(secret), "vault_secret_id") if secret else None
        return lambda api: api.auth.approle.login(role, secret, use_token=False, mount_point=mount)
    role, jwt = _needed(parameters.get("login_role"), "vault_login_role", method), _jwt(parameters, method)
    if method == "kubernetes":
        return lambda api: api.auth.kubernetes.login(role, jwt, use_token=False, mount_point=mount)
    return lambda api: api.auth.jwt.jwt_login(role, jwt, use_token=False, path=mount)


def _jwt(parameters: Mapping[str, Any], method: str) -> str:
    if given := parameters.get("jwt"):
        return _usable(str(given), "vault_jwt")
    named = parameters.get("jwt_file") or (_OF_POD if method == "kubernetes" else "")
    file = Path(_needed(named, "vault_jwt_file or vault_jwt", method))
    if not (jwt := _read(file)):
        raise MastodonError(
            "Vault", "no JWT to log in with", f"{file} cannot be read or is empty", "Set vault_jwt_file."
        )
    return _usable(jwt, f"the JWT of {file}")


def _needed(value: Any, called: str, method: str) -> str:
    if not value:
        raise MastodonError(
            f"Variable {called}", "missing", f"vault_auth_method is {method}", "Set it in your inventory."
        )
    return str(value)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _usable(secret: str, called: str) -> str:
    # It goes into a header or a body, whose library would show all of it.
    if flaw := pasted.header_flaw(secret):
        raise MastodonError("Vault", f"{called} cannot be used", flaw, "Copy it again.")
    return secret
