# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Vault modules do that need nothing but Vault: their options, and their engines from options to a task's result.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access, secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import VAULT_OPTIONS, connect

MOUNT = Arguments({**VAULT_OPTIONS, "path": {"type": "str", "required": True}})
POLICY = Arguments(
    {**VAULT_OPTIONS, "name": {"type": "str", "required": True}, "rules": {"type": "str", "required": True}}
)
SECRET = Arguments(
    {
        **VAULT_OPTIONS,
        "mount": {"type": "str", "default": "secret"},
        # A path, not a key.
        "fingerprint_key": {"type": "str", "no_log": False},
        "secrets": {
            "type": "list",
            "elements": "dict",
            "required": True,
            # The list names paths and formats; the values in it are protected one by one, below `given`.
            "no_log": False,
            "options": {
                "path": {"type": "str", "required": True},
                "generate": {"type": "dict", "default": {}},
                "vapid": {
                    "type": "dict",
                    "options": {
                        "private_key": {"type": "str", "required": True, "no_log": False},
                        "public_key": {"type": "str", "required": True, "no_log": False},
                    },
                },
                "given": {"type": "dict", "default": {}, "no_log": True},
                "required": {"type": "list", "elements": "str", "default": []},
            },
        },
    }
)


def mount(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Make or adopt a KV version 2 mount."""
    vault = connect(parameters, run.environment)
    return told([access.ensure_mount(vault, parameters["path"], check=run.check)], run)


def policy(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Write a policy when it differs."""
    vault = connect(parameters, run.environment)
    return told([access.ensure_policy(vault, parameters["name"], parameters["rules"], check=run.check)], run)


def secret(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Make the secrets that are missing."""
    vault = connect(parameters, run.environment)
    where = parameters["mount"]
    results = secrets.ensure(vault, where, parameters["secrets"], parameters["fingerprint_key"], check=run.check)
    outcomes = [access.Outcome("configured", line, "", f"{line}\n") for line in secrets.lines(results, where)]
    doubts = [doubt for result in results for doubt in result.pop("doubts")]
    return {**told(outcomes, run), "secrets": results, **({"warnings": doubts} if doubts else {})}


def told(outcomes: Iterable[access.Outcome], run: Run) -> dict[str, Any]:
    changed = [outcome for outcome in outcomes if outcome.action != "unchanged"]
    for outcome in changed:
        run.say(outcome.line)
    result: dict[str, Any] = {"changed": bool(changed)}
    if run.diff:
        result["diff"] = [
            {
                "before_header": outcome.line,
                "after_header": outcome.line,
                "before": outcome.before,
                "after": outcome.after,
            }
            for outcome in changed
        ]
    return result
