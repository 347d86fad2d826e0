# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.vault_policy`: one policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.changes import changed_lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import VAULT_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import connect

ARGUMENTS = Arguments(
    {**VAULT_OPTIONS, "name": {"type": "str", "required": True}, "rules": {"type": "str", "required": True}}
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Write a policy when it differs."""
    vault = connect(parameters, run.environment)
    return changed_lines([access.ensure_policy(vault, parameters["name"], parameters["rules"], check=run.check)], run)


TASK = Task(ARGUMENTS, run_task)
