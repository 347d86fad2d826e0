# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server says of itself, of our rights and of its storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import NODE
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each

# Flux 2.9 and the official chart ask for it: https://fluxcd.io/flux/installation/#prerequisites
OLDEST_KUBERNETES = (1, 33)
# Tokens, signed requests and ACME tolerate little more.
_LARGEST_SKEW = 60
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_STORAGE = Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)
# By which Rook knows them: https://rook.io/docs/rook/latest/CRDs/Cluster/ceph-cluster-crd/#node-settings
_HOSTNAME = "kubernetes.io/hostname"
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def version(client: Client, host: str) -> str:
    """Report the API server's version. Raises MastodonError when it is too old."""
    about = f"API server {host}"
    numbers, called = client.request("GET", "/version", about="its version", read=_version)
    if numbers < OLDEST_KUBERNETES:
        oldest = ".".join(map(str, OLDEST_KUBERNETES))
        raise MastodonError(about, "is too old", f"it is {called}", f"Upgrade Kubernetes to {oldest} or newer.")
    return f"{about}: Kubernetes {called}"


def _version(answer: object) -> tuple[tuple[int, int], str]:
    # Those of some providers end in a plus.
    numbers = [checked(answer, name, kind=str).rstrip("+") for name in ("major", "minor")]
    if not all(number.isdecimal() for number in numbers):
        raise WrongShapeError("major or minor of its answer is not a number")
    return (int(numbers[0]), int(numbers[1])), checked(answer, "gitVersion", kind=str)


def clock(server: datetime, here: datetime) -> str:
    """Report that the API server's clock and the one here agree. Raises MastodonError when they are too far apart."""
    if server.year == datetime.min.year:
        raise SkippedError("Clock: the API server did not send its own")
    seconds = round((here - server).total_seconds())
    if abs(seconds) > _LARGEST_SKEW:
        why = f"this machine's is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the API server's"
        remedy = "Set both by NTP: tokens, certificates and signed requests depend on it."
        raise MastodonError("Clock", "is wrong", why, remedy)
    return "Clock: the same here and on the API server"


def storage_class(objects: Api, name: str, wanted_by: str) -> str:
    """Report which StorageClass `wanted_by` gets; an empty `name` asks for the cluster's default one."""
    try:
        found = {item["metadata"]["name"]: item for item in objects.read(Selection(_STORAGE)).objects}
    except ApiError as error:
        if not error.is_forbidden:
            raise
        raise SkippedError(f"StorageClass {name or 'by default'}: you may not list them, and need not") from error
    if name and name not in found:
        has = f"there are {', '.join(sorted(found))}" if found else "there is none"
        raise MastodonError(f"StorageClass {name}", "does not exist", has, f"Correct {wanted_by}.")
    chosen = name or _default(found, wanted_by)
    return f"StorageClass {chosen}: there, by {found[chosen]['provisioner']}, for {wanted_by}"


def nodes(objects: Objects, names: Sequence[str]) -> str:
    """Report that the nodes are there whose disks Ceph may take. Rook passes over one that is not."""
    try:
        found = {
            (item["metadata"].get("labels") or {}).get(_HOSTNAME, "") for item in objects.read(Selection(NODE)).objects
        }
    except ApiError as error:
        if not error.is_forbidden:
            raise
        raise SkippedError(f"Nodes {', '.join(names)}: you may not list them, and need not") from error
    if missing := [name for name in names if name not in found]:
        there = f"label {_HOSTNAME} is {', '.join(sorted(found - {''}))}"
        raise MastodonError(f"Node {', '.join(missing)}", "does not exist", there, "Correct nodes in rook_storage.")
    return f"Nodes {', '.join(names)}: there, for rook_storage"


def _default(found: Mapping[str, Any], wanted_by: str) -> str:
    defaults = [
        name for name, item in found.items() if (item["metadata"].get("annotations") or {}).get(_IS_DEFAULT) == "true"
    ]
    if not defaults:
        has = f"there are {', '.join(sorted(found))}" if found else "the cluster has no StorageClass"
        remedy = f"Set {wanted_by} to one, or mark one: kubectl annotate storageclass NAME {_IS_DEFAULT}=true."
        raise MastodonError("StorageClass", "none is the default", has, remedy)
    # As Kubernetes does when there are several.
    return max(defaults, key=lambda name: str(found[name]["metadata"].get("creationTimestamp")))


@dataclass(frozen=True)
class _Right:
    """To do something to a kind, in a namespace or, without one, in all of them."""

    verb: str
    resource: str
    namespace: str


def rights(client: Client, wanted: Sequence[Mapping[str, Any]]) -> str:
    """Report that all that is `wanted` is allowed: dicts of `resources` (`plural.group/subresource`), `namespaces` and `verbs`.

    Asked by SelfSubjectAccessReview, which writes nothing.
    """
    if _may(client, _Right("*", "*.*", "")):
        return "Rights: all"
    asked = list(dict.fromkeys(_asked(wanted)))
    answers = zip(asked, for_each(partial(_may, client), asked), strict=True)
    denied = [right for right, allowed in answers if not allowed]
    kinds, missing = (len({right.resource for right in some}) for some in (asked, denied))
    if denied:
        remedy = f"Give the kubeconfig's user a ClusterRole that may {'; '.join(_rules(denied))}."
        raise MastodonError("Rights", "are missing", f"on {missing} of {kinds} kinds", remedy)
    return f"Rights: all that the chosen roles need, on {kinds} kinds"


def _asked(wanted: Iterable[Mapping[str, Any]]) -> Iterator[_Right]:
    for one in wanted:
        for resource, namespace in product(one["resources"], one["namespaces"] or [""]):
            yield from (_Right(verb, resource, namespace) for verb in one["verbs"])


def _rules(denied: Iterable[_Right]) -> Iterator[str]:
    """Yield what may not be done, in words: the same to several kinds, and the same in several namespaces, once."""
    verbs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for right in denied:
        verbs[right.namespace, right.resource].append(right.verb)
    resources: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (namespace, resource), some in verbs.items():
        resources[namespace, "/".join(some)].append(resource)
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (namespace, some_verbs), kinds in resources.items():
        places[some_verbs, ", ".join(kinds)].append(namespace)
    for (some_verbs, some_kinds), namespaces in places.items():
        where = [name for name in namespaces if name]
        place = f" in namespace{'s' if len(where) > 1 else ''} {', '.join(where)}" if where else ""
        yield f"{some_verbs}{place} {some_kinds}"


def _may(client: Client, right: _Right) -> bool:
    kind, _unused, subresource = right.resource.partition("/")
    plural, _unused, group = kind.partition(".")
    names = {"verb": right.verb, "namespace": right.namespace}
    asked = {**names, "group": group, "resource": plural, "subresource": subresource}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
    }
    allowed: bool = client.request("POST", _REVIEWS, about="SelfSubjectAccessReview", body=body, read=_allowed)
    return allowed


def _allowed(answer: object) -> bool:
    return checked(answer, "status", "allowed", kind=bool)
