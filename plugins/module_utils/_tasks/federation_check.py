# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `federation_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from threading import Thread
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import once
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.cluster import Cluster, Known
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import as_seen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import clock, ready_pod
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.relay import pod_at
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret, read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.looks import OPTIONS, looked

_PLACE: Mapping[str, Any] = {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}}
_POD: Mapping[str, Any] = {
    "type": "dict",
    "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str"}, "labels": {"type": "dict"}},
    "mutually_exclusive": [["name", "labels"]],
    "required_one_of": [["name", "labels"]],
}
_VIA: Mapping[str, Any] = {
    "type": "dict",
    "options": {"ssh": {"type": "str"}, "pod": _POD},
    "mutually_exclusive": [["ssh", "pod"]],
    "required_one_of": [["ssh", "pod"]],
}
# In seconds, for a cluster that is away: a look from outside takes most of the twenty that are promised.
_PATIENCE = 4
ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **OPTIONS,
        "ca_secret": {
            "type": "dict",
            # Where a secret is, not what it is.
            "no_log": False,
            "options": _PLACE,
        },
        "gateway": {"type": "dict", "options": _PLACE},
        "via": _VIA,
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Look at an instance once, as other servers see it, and report what is lost. It fails when posts are lost or cut off."""
    needs("dns")
    cluster = _opening(parameters, run) if parameters["gateway"] else None
    if cluster and parameters["instances"]:
        Thread(target=_learn, args=(cluster,), daemon=True).start()
    explain = partial(explained, cluster) if cluster else as_seen
    through = (parameters["via"] or {}).get("pod")
    elsewhere = partial(_through_pod, parameters, run, through) if through else None
    return looked(parameters, partial(_own_authority, parameters, run), run, explain, elsewhere)


def _learn(cluster: Callable[[], Cluster]) -> None:
    """Learn whether the cluster of many answers while they are looked at: the last would wait for it when all others are done."""
    # Whatever is wrong with it, who needs it sees it again.
    with suppress(Exception):
        _known_from_then_on = cluster().catalog


def _through_pod(parameters: Mapping[str, Any], run: Run, place: Mapping[str, Any], here: Vantage) -> Vantage:
    """Return what is looked at through a pod, by a program that it has. Raises MastodonError."""
    connection, namespace, labels = connect(parameters, run.environment), place["namespace"], place["labels"]
    pod = pod_at(connection, namespace, place["name"] or ready_pod(connection, namespace, labels))
    which = ",".join(f"{key}={value}" for key, value in labels.items()) if labels else pod.name
    return Vantage(f"pod {namespace}/{which}", pod.way, here, pod.nameservers)


def _opening(parameters: Mapping[str, Any], run: Run) -> Callable[[], Cluster]:
    """Return what opens the cluster that the instances run in for the look at one of them, and reads of Secrets their certificates alone."""
    known, connected = Known(), once(lambda: connect(parameters, run.environment))

    def opened() -> Cluster:
        # All have in common what was read, and each has time of its own.
        connection, limit = connected(), Deadline(_PATIENCE, is_strict=True)

        def chain(namespace: str, name: str) -> str | None:
            secret = read_secret(connection, namespace, name, limit)
            return secret.data.get("tls.crt", "") if secret else None

        def time(namespace: str, pod: str) -> datetime:
            return clock(connection, namespace, pod, max(round(limit.remaining), 1))

        objects, place = open_objects(connection, limit), parameters["gateway"]
        return Cluster(objects, chain, time, **place, limit=limit, known=known)

    return opened


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
