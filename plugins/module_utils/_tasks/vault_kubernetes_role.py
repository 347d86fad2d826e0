# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.vault_kubernetes_role`: the Kubernetes login, and one role of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import kubernetes
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.changes import changed_lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import KUBERNETES_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import VAULT_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import access
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import connect

# How long Kubernetes may take to fill the Secret of an account, in seconds.
_FILLED = 30
_PAUSE = 0.5

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **VAULT_OPTIONS,
        "mount_point": {"type": "str", "default": "kubernetes"},
        "api_server": {"type": "str", "default": "https://kubernetes.default.svc"},
        "reviewer": {"type": "str", "default": ""},
        "name": {"type": "str", "required": True},
        "bound_service_account_names": {"type": "list", "elements": "str", "required": True},
        "bound_service_account_namespaces": {"type": "list", "elements": "str", "required": True},
        "policies": {"type": "list", "elements": "str", "required": True},
        "audience": {"type": "str"},
        "ttl": {"type": "int", "default": 600},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Make the Kubernetes login and one role of it."""
    vault = connect(parameters, run.environment)
    reviewer = _reviewer(parameters, run) if parameters["reviewer"] else None
    return changed_lines(access.ensure_kubernetes_role(vault, parameters, check=run.check, reviewer=reviewer), run)


def _reviewer(parameters: Mapping[str, Any], run: Run) -> access.Reviewer:
    """Return what the Secret of an account holds, which Kubernetes fills in a moment after it was made."""
    namespace, _unused, name = parameters["reviewer"].partition("/")
    connection, deadline = kubernetes.connect(parameters, run.environment), Deadline(_FILLED)
    while True:
        secret = read_secret(connection, namespace, name)
        if secret and secret.data.get("token"):
            return access.Reviewer(secret["token"], secret.data["ca.crt"])
        if run.check:
            return access.Reviewer("", "")
        if not deadline.pause(_PAUSE):
            remedy = "Check that it is of type kubernetes.io/service-account-token and that its ServiceAccount exists."
            raise MastodonError(f"Secret {namespace}/{name}", "has no token", f"after {_FILLED} s", remedy)


TASK = Task(ARGUMENTS, run_task)
