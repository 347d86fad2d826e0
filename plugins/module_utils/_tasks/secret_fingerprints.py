# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.secret_fingerprints`: an annotation of pods that changes with the Secrets they start with.

Kubernetes does not replace a pod for a changed Secret; a changed annotation of the pods' template does it. The fingerprints are keyed, so
that nobody can try out passwords on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

ANNOTATION = "fediverse.mastodon/secrets"
ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "namespace": {"type": "str", "required": True},
        # A path, not a key.
        "fingerprint_key": {"type": "str", "required": True, "no_log": False},
        "secrets": {
            "type": "list",
            "elements": "dict",
            "required": True,
            # Where secrets are, not what they are.
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "path": {"type": "str", "default": "", "no_log": False},
                "keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            },
        },
    }
)


@dataclass(frozen=True)
class Content:
    """What a Secret holds, or will hold once it is made; `older` says which of its values are older than Vault's."""

    name: str
    data: Mapping[str, object] = field(repr=False)
    older: tuple[str, ...] = ()

    @classmethod
    def read(
        cls, one: Mapping[str, Any], connection: Connection, server: vault.Vault, mount: str, namespace: str
    ) -> Content:
        """Read one Secret. What is predicted of one that is not created yet lets nothing change when it is."""
        name, path, keys = one["name"], one["path"], one["keys"]
        secret = read_secret(connection, namespace, name)
        held = kv.read(server, mount, path).data if path else {}
        if secret is None:
            return cls(name, {key: held[key] for key in keys} if all(held.get(key) for key in keys) else {})
        older = tuple(
            f"Secret {namespace}/{name} has an older {key} than Vault path {path}, and so have pods that start with it. "
            "Run with --tags external_secrets as well."
            for key in keys
            if held.get(key) and str(held[key]) != secret.data.get(key)
        )
        return cls(name, secret.data, older)

    def text(self) -> str:
        """Return all of it in one text, to make a fingerprint of."""
        return "\0".join(f"{key}\0{value}" for key, value in sorted(self.data.items()))


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, annotations: {…}}`, empty as long as there is nothing to make fingerprints of or by."""
    connection, server = connect(parameters, run.environment), vault.connect(parameters, run.environment)
    mount, namespace = parameters["mount"], parameters["namespace"]
    salt = kv.read(server, mount, parameters["fingerprint_key"]).data.get("key", "")
    contents = for_each(lambda one: Content.read(one, connection, server, mount, namespace), parameters["secrets"])
    for line in (line for content in contents for line in content.older if not run.check):
        run.say(line)
    made = [
        f"{content.name}={fingerprint(salt, content.name, '', content.text())}"
        for content in contents
        if salt and content.data
    ]
    return {"changed": False, "annotations": {ANNOTATION: " ".join(sorted(made))} if made else {}}


TASK = Task(ARGUMENTS, run_task)
