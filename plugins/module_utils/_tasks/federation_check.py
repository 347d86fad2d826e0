# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `federation_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.looks import OPTIONS, looked

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **OPTIONS,
        "ca_secret": {
            "type": "dict",
            # Where a secret is, not what it is.
            "no_log": False,
            "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Look at an instance once, as other servers see it, and report what is lost. It fails when posts are lost or cut off."""
    needs("cryptography", "dns")
    return looked(parameters, partial(_own_authority, parameters, run), run)


def _own_authority(parameters: Mapping[str, Any], run: Run) -> list[str]:
    """Return the certificate of an authority in the cluster, and of its Secret nothing else."""
    place = parameters["ca_secret"]
    if not place:
        return []
    secret = must_have_secret(connect(parameters, run.environment), place["namespace"], place["name"])
    if not (certificate := secret.data.get("ca.crt") or secret.data.get("tls.crt", "")):
        remedy = "Wait until cert-manager has written it."
        raise MastodonError(
            f"Secret {secret.name}", "has no certificate", "neither ca.crt nor tls.crt is in it", remedy
        )
    return [certificate]


TASK = Task(ARGUMENTS, run_task)
