# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is room for a second Cluster: what quotas of the namespace leave, and what its StorageClass says it has. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

Item = Mapping[str, Any]

# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY = re.compile(r"([0-9.]+)([eE][0-9]+|[KMGTPE]i|[mkMGTPE]?)")
_POWERS = {"": Decimal(1), "m": Decimal(1) / 1000, "k": Decimal(1000)} | {
    letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)
}
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_CLAIMS = ("storage", "walStorage")
_OF_CLASS = ".storageclass.storage.k8s.io/"


def amount(text: object) -> Decimal:
    """Return a quantity as a number, zero for what is none."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        return Decimal(0)
    number, suffix = Decimal(found[1]), found[2]
    if suffix[:1] in ("e", "E") and len(suffix) > 1 and suffix[1:].isdecimal():
        return number.scaleb(int(suffix[1:]))
    return number * (_BINARY.get(suffix) or _POWERS[suffix])


def claims(cluster: Item) -> list[tuple[str, str]]:
    """Return StorageClass, empty for the cluster's default one, and size of each volume that a Cluster of one instance has."""
    spec = cluster["spec"]
    return [
        (str(at(spec, f"{one}.storageClass", "")), str(at(spec, f"{one}.size", "")))
        for one in _CLAIMS
        if at(spec, f"{one}.size", "")
    ]


def needed(cluster: Item) -> dict[str, Decimal]:
    """Return what a Cluster of one instance takes, as quotas call it."""
    found = {"pods": Decimal(1), "count/pods": Decimal(1)}
    volumes = claims(cluster)
    for name, value in (("persistentvolumeclaims", Decimal(len(volumes))), ("requests.storage", _sum(volumes))):
        found[name] = value
    for storage_class in {name for name, _unused in volumes if name}:
        of_it = [one for one in volumes if one[0] == storage_class]
        found[f"{storage_class}{_OF_CLASS}requests.storage"] = _sum(of_it)
        found[f"{storage_class}{_OF_CLASS}persistentvolumeclaims"] = Decimal(len(of_it))
    for kind in ("requests", "limits"):
        for resource, value in at(cluster["spec"], f"resources.{kind}", {}).items():
            found[f"{kind}.{resource}"] = amount(value)
            if kind == "requests":
                found[resource] = amount(value)
    return found


def _sum(volumes: Iterable[tuple[str, str]]) -> Decimal:
    return sum((amount(size) for _unused, size in volumes), Decimal(0))


def refuse_full(quotas: Iterable[Item], capacities: Iterable[Item], cluster: Item) -> None:
    """Raise MastodonError when the Cluster does not fit. `capacities` are what StorageClasses say they have left, if they do."""
    errors = [*_of_quotas(quotas, needed(cluster)), *_of_capacities(list(capacities), claims(cluster))]
    if errors:
        raise errors[0] if len(errors) == 1 else CombinedError(errors)


def _of_quotas(quotas: Iterable[Item], wanted: Mapping[str, Decimal]) -> Iterator[MastodonError]:
    for quota in quotas:
        for name, most in at(quota, "status.hard", {}).items():
            used = at(quota, "status.used", {}).get(name, "0")
            if name in wanted and amount(used) + wanted[name] > amount(most):
                subject = f"ResourceQuota {quota['metadata']['namespace']}/{quota['metadata']['name']}"
                why = f"of {name} {most} {used} are taken, and it needs {_written(wanted[name])} more"
                remedy = "Raise the quota."
                yield MastodonError(subject, "leaves no room for a restored database", why, remedy)


def _of_capacities(capacities: list[Item], volumes: list[tuple[str, str]]) -> Iterator[MastodonError]:
    """Yield what no node has room for: https://kubernetes.io/docs/concepts/storage/storage-capacity/"""
    for storage_class, size in volumes:
        known = [one for one in capacities if storage_class and one.get("storageClassName") == storage_class]
        largest = [amount(one.get("maximumVolumeSize") or one.get("capacity") or "0") for one in known]
        if largest and max(largest) < amount(size):
            why = f"the largest volume that it has room for is {_written(max(largest))}, and {size} are needed"
            yield MastodonError(
                f"StorageClass {storage_class}", "leaves no room for a restored database", why, "Make room."
            )


def _written(number: Decimal) -> str:
    for suffix, power in reversed(_BINARY.items()):
        if number >= power and not number % (power / 1024):
            return f"{(number / power).normalize():f}{suffix}"
    return f"{number.normalize():f}"
