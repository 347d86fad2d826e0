# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `dns_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.records import (
    Drift,
    asked_for,
    drifts,
    targets,
    turns_private,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import heritage
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.depends_on import kinds_when_ready
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    cluster,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import DEPENDS_ON_OPTION

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "names": {"type": "list", "elements": "str", "required": True},
        "gateway_name": {"type": "str", "required": True},
        "gateway_namespace": {"type": "str", "required": True},
        "target": {"type": "str", "default": ""},
        "nameserver": {"type": "str", "default": ""},
        "nameserver_port": {"type": "int", "default": 53},
        "owner": {"type": "str", "default": ""},
        "txt_prefix": {"type": "str", "default": ""},
        "txt_suffix": {"type": "str", "default": ""},
        "depends_on": DEPENDS_ON_OPTION,
        "wait_timeout": {"type": "int", "default": 180},
    }
)

_PAUSE = 2.0
_REMEDY = (
    "Read external-dns' log; it leaves alone a record that it did not create itself, which you must delete by hand."
)
_API = ("gateway.networking.k8s.io", "v1")


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Wait until all names that routes ask for lead to the Gateway; in check mode only report which do not."""
    deadline = Deadline(parameters["wait_timeout"])
    objects = cluster(parameters, run, deadline)
    needed = [(*_API, kind) for kind in ("Gateway", "HTTPRoute")]
    catalog = kinds_when_ready(parameters["depends_on"], needed, objects, deadline, run)
    names, wanted, skipped = _expected(parameters, objects, catalog)
    for line in skipped:
        run.say(line)
    resolver = Resolver(parameters["nameserver"], parameters["nameserver_port"])
    first = drifts(names, wanted, resolver.addresses)
    _refuse(first, parameters, resolver)
    for drift in first:
        run.say(f"configured {drift}, by external-dns")
    if first and not run.check:
        _await(names, wanted, resolver, deadline, run)
    return {"changed": bool(first), "records": [str(drift) for drift in first], "skipped_names": skipped}


def _expected(
    parameters: Mapping[str, Any], objects: Objects, catalog: Catalog
) -> tuple[list[str], tuple[str, ...], list[str]]:
    """Return the names to look at, where they must lead, and one line for each name that cannot be looked at yet."""
    place = parameters["gateway_namespace"], parameters["gateway_name"]
    gateway = _read(objects, catalog, "Gateway", *place)
    wanted = (parameters["target"],) if parameters["target"] else targets(gateway[0] if gateway else None)
    ready = asked_for(_read(objects, catalog, "HTTPRoute"), *place) if wanted else frozenset()
    why = (
        f"no route on Gateway {'/'.join(place)} asks for it yet"
        if wanted
        else f"Gateway {'/'.join(place)} is not ready"
    )
    skipped = [f"skipped the check of DNS record {name}: {why}" for name in parameters["names"] if name not in ready]
    return [name for name in parameters["names"] if name in ready], wanted, skipped


def _read(objects: Objects, catalog: Catalog, kind: str, namespace: str = "", name: str = "") -> tuple[Object, ...]:
    return read_served(objects, catalog.find(*_API, kind), namespace, name)


def _await(names: list[str], wanted: tuple[str, ...], resolver: Resolver, deadline: Deadline, run: Run) -> None:
    reminder = Reminder(deadline, after=10)
    while left := drifts(names, wanted, resolver.addresses):
        if not deadline.pause(_PAUSE):
            raise MastodonError(_listed(left), "was not put right", f"waited {deadline.seconds:.0f} s", _REMEDY)
        if reminder.is_due():
            run.say(f"waiting for {_listed(left)} ({deadline.elapsed:.0f} s)")


def _refuse(first: list[Drift], parameters: Mapping[str, Any], resolver: Resolver) -> None:
    """Refuse what nobody wants, and what would be waited for in vain. Raises MastodonError."""
    private = [drift for drift in first if turns_private(drift)]
    if private and not parameters["target"]:
        gateway = f"Gateway {parameters['gateway_namespace']}/{parameters['gateway_name']}"
        remedy = f"Set gateway_dns_target to the address that others reach, or to {' '.join(private[0].wanted)} if none shall."
        raise MastodonError(
            _listed(private), "would lead no other server here", f"{gateway} has no public address", remedy
        )
    owner = parameters["owner"]
    for drift in first if owner else ():
        found = _owners(drift.name, parameters, resolver)
        if found and owner not in found:
            why = f"its owner is {', '.join(found)}, and this external-dns is {owner}"
            remedy = "Delete it and its TXT record once the other external-dns is gone, or set external_dns_owner_id to its name."
            raise MastodonError(str(drift), "will not be put right", why, remedy)


def _owners(name: str, parameters: Mapping[str, Any], resolver: Resolver) -> list[str]:
    places = heritage.names(name, parameters["txt_prefix"], parameters["txt_suffix"])
    found = (heritage.owners(resolver.look(where, "TXT").records) for where in places)
    return sorted({owner for owners in found for owner in owners})


def _listed(left: list[Drift]) -> str:
    return ", ".join(str(drift) for drift in left)


TASK = Task(ARGUMENTS, run_task)
