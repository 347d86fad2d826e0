# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run kubectl against the lab."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastodon_lab.build.command import telling_line
from mastodon_lab.errors import LabError
from mastodon_lab.parts.applied import FIELD_MANAGER


@dataclass(frozen=True)
class Kubectl:
    program: Path
    kubeconfig: Path

    def apply(self, manifests: str) -> list[dict[str, Any]]:
        """Apply manifests server-side, and return the objects; the lab's word counts over everyone else's."""
        return self._apply("-f-", sent=manifests)

    def apply_kustomization(self, folder: Path) -> list[dict[str, Any]]:
        return self._apply(f"-k={folder}")

    def _apply(self, *words: str, sent: str = "") -> list[dict[str, Any]]:
        printed = ("-o=json", "--show-managed-fields")
        ours = ("--server-side", f"--field-manager={FIELD_MANAGER}", "--force-conflicts")
        found = json.loads(self._run("apply", *ours, *printed, *words, sent=sent))
        objects: list[dict[str, Any]] = found["items"] if found["kind"] == "List" else [found]
        return objects

    def trouble(self, namespace: str, name: str) -> str:
        """Why a pod with the label app=`name` doesn't run, in the words of its containers or conditions, or nothing."""
        pods: list[dict[str, Any]] = self.get(f"-n={namespace}", "pods", f"-l=app={name}")["items"]
        for pod in pods:
            status = pod["status"]
            for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
                waiting = container["state"].get("waiting")
                if waiting and waiting["reason"] not in ("ContainerCreating", "PodInitializing"):
                    return f"{waiting['reason']}: {waiting.get('message', 'no message')}"
            for condition in status.get("conditions", ()):
                if condition["status"] == "False" and condition.get("message"):
                    return str(condition["message"])
        return ""

    def get(self, *words: str) -> dict[str, Any]:
        """Objects as JSON."""
        found: dict[str, Any] = json.loads(self._run("get", "-o=json", *words))
        return found

    def _run(self, *words: str, sent: str = "") -> str:
        done = subprocess.run(
            [self.program, f"--kubeconfig={self.kubeconfig}", *words],
            input=sent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError(
                f"kubectl {words[0]}: {telling_line(done.stderr)}. Check `lab/status`, then run lab/up again."
            )
        return done.stdout
