# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the cluster and at Vault, and touches neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import adopted, cluster, external_dns, gateway
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Check, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, all_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import EVERYTHING, needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    ADOPTED_OPTION,
    KINDS_OPTION,
    NODES_OPTION,
    STORAGE_CLASSES_OPTION,
    VAULT_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import health

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **VAULT_OPTIONS,
        "adopted": ADOPTED_OPTION,
        "cluster": {"type": "bool", "default": True},
        "edge": {"type": "bool", "default": False},
        "external_dns": {"type": "dict", "options": external_dns.OPTIONS},
        "gateway": {"type": "dict", "options": gateway.OPTIONS},
        "kinds": KINDS_OPTION,
        "nodes": NODES_OPTION,
        "playbook_tags": {"type": "list", "elements": "str", "default": []},
        "settings": {"type": "bool", "default": False},
        "storage_classes": STORAGE_CLASSES_OPTION,
        "subject": {"type": "str", "default": ""},
        "vault": {"type": "bool", "default": False},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, checked: [what was looked at], subject: …}`. Raises MastodonError for what is wrong."""
    needs(*EVERYTHING)
    checks = {"cluster": _cluster, "vault": _vault}
    return {
        "changed": False,
        "checked": all_of(partial(checks[one], parameters, run) for one in checks if parameters[one]),
        "subject": parameters["subject"],
    }


def _cluster(parameters: Mapping[str, Any], run: Run) -> list[str]:
    connection = connect(parameters, run.environment)
    objects = open_objects(connection)
    catalog = objects.discover()
    named = [one for one in parameters["storage_classes"] if one["name"]]
    storage = [partial(cluster.storage_class, objects, one["name"], one["wanted_by"]) for one in named]
    nodes = [partial(cluster.nodes, objects, parameters["nodes"])] if parameters["nodes"] else []
    used: list[Check] = [*adopted.checks(parameters["adopted"], objects), *storage, *nodes]
    answers = f"API server {connection.host} answers"
    return [answers, *all_of((partial(_edge, parameters, objects, catalog, run), partial(_found, used, run)))]


def _edge(parameters: Mapping[str, Any], objects: Objects, catalog: Catalog, run: Run) -> list[str]:
    """Refuse kinds that are not served, and what others have at the edge."""
    kinds.refuse(parameters["kinds"], catalog, run.say, check=run.check)
    checks = {"external_dns": external_dns.examine, "gateway": gateway.examine}
    wanted = [(check, parameters[option]) for option, check in checks.items() if parameters[option]]
    if found := [problem for check, option in wanted for problem in check(option, objects, catalog)]:
        raise CombinedError(found)
    return []


def _found(checks: Sequence[Check], run: Run) -> list[str]:
    """Return what is well of what is used as it is. Raises CombinedError for what is not."""
    findings = [find(check) for check in checks]
    if failed := [finding.text for finding in findings if finding.state == "failed"]:
        raise CombinedError(failed)
    for finding in findings:
        if finding.state == "skipped":
            run.say(finding.line())
    return [finding.text for finding in findings if finding.state == "ok"]


def _vault(parameters: Mapping[str, Any], run: Run) -> list[str]:
    found = health.check(vault.connect(parameters, run.environment))
    return [f"Vault {found.version} is unsealed and accepts the token"]


TASK = Task(ARGUMENTS, run_task)
