# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.status_info`: what this collection has installed, as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import answers as site
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.status import (
    Row,
    of_restores,
    of_rotations,
    of_vault,
    rows,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    KV_OPTIONS,
    VAULT_BACKUP_OPTION,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "site": site.SITE_OPTION,
        # Paths, not secrets.
        "path": {"type": "str", "required": True},
        "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "vault_backup": VAULT_BACKUP_OPTION,
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, objects: [{subject, status, age, note}], secrets: [{path, version, fingerprints}]}`.

    Raises MastodonError, also for a Vault that cannot be asked, when all else was said.
    """
    connection = connect(parameters, run.environment)
    objects, now = open_objects(connection), datetime.now(UTC)
    found = rows(objects, now)
    if parameters["site"]:
        found.append(_answer(parameters["site"], connection, run))
    for one in found:
        run.say(one.line())
    secrets = _secrets(vault.connect(parameters, run.environment), parameters)
    for secret in secrets:
        run.say(_line(secret))
    if wanted := parameters["vault_backup"]:
        last = vault_backup.read(objects, wanted["namespace"], wanted["name"])
        kept = of_vault(last, wanted["name"], {secret["path"]: secret["written"] for secret in secrets}, now)
        run.say(kept.line())
        found.append(kept)
    for row in (*of_rotations(objects, now), *of_restores(objects, now)):
        run.say(row.line())
        found.append(row)
    return {"changed": False, "objects": [vars(one) for one in found], "secrets": secrets}


def _answer(wanted: Mapping[str, Any], connection: Connection, run: Run) -> Row:
    subject = str(site.site_of(wanted))
    try:
        found = site.examine(wanted, connection, 0, run.say)
        verdict = "NotAllAsked" if found.skipped else "Answers"
        return Row(subject, verdict, "", str(found).removeprefix(f"{subject}: answers "))
    except site.NotAskedError as reason:
        return Row(subject, "NotAsked", "", str(reason))
    except MastodonError as error:
        return Row(subject, "Silent", "", f"{error.failed}: {error.why}" if error.why else error.failed)


def _secrets(server: vault.Vault, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    mount, folder = parameters["mount"], parameters["path"]
    salt = kv.read(server, mount, f"{folder}/fingerprint").data.get("key", "")
    results = []
    for name in parameters["secrets"]:
        path = name if "/" in name else f"{folder}/{name}"
        stored = kv.read(server, mount, path)
        made = {key: fingerprint(salt, path, key, value) for key, value in sorted(stored.data.items())} if salt else {}
        when = {"written": stored.written, "gone": stored.gone}
        results.append({"path": path, "version": stored.version, **when, "fingerprints": made})
    return results


def _line(secret: Mapping[str, Any]) -> str:
    if secret["gone"]:
        return f"secret {secret['path']}: version {secret['version']} was deleted at {secret['gone']}"
    prints = ", ".join(f"{key} {value}" for key, value in secret["fingerprints"].items())
    held = f"version {secret['version']}, {prints}" if secret["version"] else "not there"
    return f"secret {secret['path']}: {held}"


TASK = Task(ARGUMENTS, run_task)
