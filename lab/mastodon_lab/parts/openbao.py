# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Initialise OpenBao once, and give it what a user would: the credentials of services that are not Mastodon's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any

from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import OPENBAO_PORT, Lab
from mastodon_lab.parts import nameserver
from mastodon_lab.parts.keys import Keys

MOUNT = "secret"
BASE = "mastodon/social.lab.test"
SECONDS = 15.0


def given(keys: Keys) -> Mapping[str, Mapping[str, str]]:
    """Path below the mount → what is stored there."""
    s3 = {"access-key-id": keys.s3_access_key, "secret-access-key": keys.s3_secret_key}
    return {
        f"{BASE}/s3": s3,
        # For who turns backups on, by lab/settings/backup.yml.
        f"{BASE}/postgresql-backup": s3,
        # Likewise, by lab/settings/copy.yml.
        f"{BASE}/media-copy": s3,
        f"{BASE}/redis": {"password": keys.redis_password},
        f"{BASE}/smtp": {"username": keys.smtp_username, "password": keys.smtp_password},
        f"{BASE}/dns": {"tsig-key-name": nameserver.KEY_NAME, "tsig-secret": keys.tsig_secret},
    }


def set_up(lab: Lab, keys: Keys) -> None:
    """Initialise, mount the secret store, write what is given and absent. Whatever is there already stays."""
    if not _call(lab, "GET", "sys/init")["initialized"]:
        _initialise(lab)
    if not lab.vault_token.exists():
        raise LabError(
            f"OpenBao: it was initialised, but its root token is not in {lab.vault_token}. "
            "Restore the file, or start over with lab/down --purge-state and lab/up."
        )
    token = lab.vault_token.read_text().strip()
    if f"{MOUNT}/" not in _call(lab, "GET", "sys/mounts", token)["data"]:
        _call(lab, "POST", f"sys/mounts/{MOUNT}", token, {"type": "kv", "options": {"version": "2"}})
    for path, data in given(keys).items():
        if _call(lab, "GET", f"{MOUNT}/data/{path}", token) is None:
            _call(lab, "POST", f"{MOUNT}/data/{path}", token, {"data": dict(data), "options": {"cas": 0}})


def trouble(lab: Lab) -> str:
    """Why OpenBao can't be used, or nothing."""
    try:
        status, _ = _ask(lab, "GET", "sys/health")
    except OSError as error:
        return f"it does not answer: {error}"
    states = {HTTPStatus.NOT_IMPLEMENTED: "not initialised", HTTPStatus.SERVICE_UNAVAILABLE: "sealed"}
    return "" if status == HTTPStatus.OK else f"it is {states.get(status, f'answering {status}')}"


def _initialise(lab: Lab) -> None:
    answer = _call(lab, "POST", "sys/init", body={"recovery_shares": 1, "recovery_threshold": 1})
    write_private(lab.state / "vault-recovery-keys", json.dumps(answer["recovery_keys_base64"]))
    write_private(lab.vault_token, answer["root_token"] + "\n")


def _call(lab: Lab, method: str, path: str, token: str = "", body: Mapping[str, Any] | None = None) -> Any:
    """The answer's JSON; None where there is nothing. Raises LabError without any secret in it."""
    try:
        status, answer = _ask(lab, method, path, token, body)
    except OSError as error:
        raise LabError(f"OpenBao {path}: {error}. See `kubectl -n openbao logs openbao-0`.") from error
    if status == HTTPStatus.NOT_FOUND:
        return None
    if status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        reason = "; ".join(answer.get("errors", ())) if answer else ""
        raise LabError(f"OpenBao {path}: {reason or f'it answers {status}'}. See `kubectl -n openbao logs openbao-0`.")
    return answer


def _ask(
    lab: Lab, method: str, path: str, token: str = "", body: Mapping[str, Any] | None = None
) -> tuple[HTTPStatus, Any]:
    """Status and JSON. Raises OSError, also for an answer that is not OpenBao's."""
    connection = HTTPConnection(lab.openbao_ip, OPENBAO_PORT, timeout=SECONDS)
    headers = {"X-Vault-Token": token} if token else {}
    try:
        connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return HTTPStatus(answer.status), json.loads(answer.read() or b"null")
    except (HTTPException, ValueError) as error:
        raise OSError(f"what answers there is not OpenBao: {error}") from error
    finally:
        connection.close()
