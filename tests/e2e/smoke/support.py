# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the smoke tests of the lab's controllers share: namespaces of their own, and what Flux and cert-manager say of an object."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...conftest import Lab
from ..support import eventually

Object = dict[str, Any]


@contextmanager
def namespace(lab: Lab, name: str) -> Iterator[str]:
    """A namespace that is taken down afterwards with all in it; no other test needs it gone."""
    apply(lab, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        lab.kubectl("delete", "namespace", name, "--wait=false")


def apply(lab: Lab, *objects: Object) -> None:
    """Apply objects as a user would."""
    command = [lab.facts["kubectl"], f"--kubeconfig={lab.facts['kubeconfig']}", "apply", "--server-side", "-f-"]
    sent = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    done = subprocess.run(command, input=sent, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def ready(lab: Lab, kind: str, namespace: str, name: str) -> tuple[str, str]:
    """Status and message of an object's condition Ready, of its present generation; both empty while there is none."""
    found = lab.get(kind, f"-n={namespace}", name)
    for condition in found.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready" and condition.get("observedGeneration") == found["metadata"]["generation"]:
            return condition["status"], condition["message"]
    return "", ""


def wait_ready(lab: Lab, kind: str, namespace: str, name: str, seconds: float = 180) -> None:
    eventually(lambda: ready(lab, kind, namespace, name), lambda found: found[0] == "True", seconds)
