# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenBao as the tests use it: through the tasks, and past them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hvac
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import vault_secret

ROOT = "root"
APP = {
    "path": "app",
    "generate": {
        "hex": {"format": "hex", "bytes": 64},
        "alphanumeric": {"format": "alphanumeric", "length": 32},
        "password": {"format": "password", "length": 40},
    },
    "vapid": {"private_key": "private", "public_key": "public"},
}


@dataclass(frozen=True)
class Bao:
    """One server, and a mount in it."""

    address: str
    api: hvac.Client
    mount: str = "secret"

    def run(self, task: Task, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a task with these options, and its own defaults for all others."""
        defaults = {name: spec.get("default") for name, spec in task.arguments.options.items()}
        run = Run(check=check, diff=True, say=lambda line: None, environment={})
        return task.engine({**defaults, "address": self.address, "token": ROOT, **options}, run)

    def secrets(self, *wanted: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
        """Run the task `vault_secret` and return what it says of each path, that of the fingerprints' key left out."""
        usual = {"mount": self.mount, "fingerprint_key": "fingerprint", "secrets": list(wanted)}
        reported: list[dict[str, Any]] = self.run(vault_secret.TASK, **{**usual, **options})["secrets"]
        return [one for one in reported if one["path"] != "fingerprint"]

    def stored(self, path: str) -> dict[str, str]:
        """Return what lies at a path."""
        answer = self.api.secrets.kv.v2.read_secret_version(path, mount_point=self.mount, raise_on_deleted_version=True)
        found: dict[str, str] = answer["data"]["data"]
        return found
