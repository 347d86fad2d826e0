# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.vault_secret`: secrets that are made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.changes import changed_lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access, secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import connect

ARGUMENTS = Arguments(
    {
        **KV_OPTIONS,
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


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Make the secrets that are missing."""
    vault = connect(parameters, run.environment)
    where = parameters["mount"]
    results = secrets.ensure(vault, where, parameters["secrets"], parameters["fingerprint_key"], check=run.check)
    outcomes = [access.Outcome("configured", line, "", f"{line}\n") for line in secrets.lines(results, where)]
    doubts = [doubt for result in results for doubt in result.pop("doubts")]
    return {**changed_lines(outcomes, run), "secrets": results, **({"warnings": doubts} if doubts else {})}


TASK = Task(ARGUMENTS, run_task)
