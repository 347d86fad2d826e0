# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server as the tests use it: through the engine, and past it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import apply
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect


@dataclass
class Applied:
    """The result of one task, and the lines that it said."""

    result: dict[str, Any]
    lines: list[str]

    @property
    def actions(self) -> dict[str, str]:
        """What was done, by subject."""
        return {item["subject"]: item["action"] for item in self.result["objects"]}


@dataclass
class Cluster:
    """One API server, and a namespace in it. CRDs named in `crds` are removed with it."""

    kubeconfig: str
    namespace: str
    client: Client
    crds: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, kubeconfig: str, namespace: str) -> Cluster:
        """Return the cluster of a kubeconfig, and a namespace of it."""
        return cls(kubeconfig, namespace, Client(connect({"kubeconfig": kubeconfig}, os.environ)))

    def apply(self, *objects: dict[str, Any], check: bool = False, **options: Any) -> Applied:
        """Run the task `apply` with these objects."""
        usual = {"name": "test", "namespace": self.namespace, "wait_timeout": 30}
        return self.run(apply.TASK, check=check, objects=list(objects), **usual | options)

    def run(self, task: Task, *, check: bool = False, **options: Any) -> Applied:
        """Run a task with these options, and its own defaults for all others."""
        defaults = {name: spec.get("default") for name, spec in task.arguments.options.items()}
        lines: list[str] = []
        run = Run(check=check, diff=True, say=lines.append, environment=os.environ)
        return Applied(task.engine({**defaults, "kubeconfig": self.kubeconfig, **options}, run), lines)

    def path(self, plural: str, name: str, group: str = "api/v1") -> str:
        """Return the path of a namespaced object."""
        return f"/{group}/namespaces/{self.namespace}/{plural}/{name}"

    def get(self, path: str) -> dict[str, Any]:
        """Read an object."""
        found: dict[str, Any] = self.client.request("GET", path, about=path)
        return found

    def patch(self, path: str, manager: str, body: dict[str, Any]) -> None:
        """Change an object as somebody else."""
        self.client.request(
            "PATCH",
            path,
            about=path,
            query={"fieldManager": manager},
            body=body,
            headers={"Content-Type": "application/merge-patch+json"},
        )

    def server_side_apply(self, path: str, manager: str, body: dict[str, Any]) -> dict[str, Any]:
        """Apply an object as somebody else."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": manager, "force": "true"}
        found: dict[str, Any] = self.client.request("PATCH", path, about=path, query=query, body=body, headers=headers)
        return found

    def delete(self, path: str) -> None:
        """Delete an object."""
        self.client.request("DELETE", path, about=path)
