# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prerequisites that somebody else installed: whether they run, and are new enough for what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Check, SkippedError, once
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import DEPLOYMENT
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute

# As upstream tags it.
_RELEASE = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True)
class Controller:
    """A program that acts on objects of ours. `image` ends the path of its image, whatever registry it comes from.

    `oldest` is the first release, major and minor, that does what we ask of it; without it every one that serves its kinds.
    """

    name: str
    image: str
    oldest: tuple[int, int] | None = None


def checks(adopted: Iterable[Mapping[str, Any]], objects: Api) -> Iterator[Check]:
    """Yield one look for each controller in the option `adopted`."""
    deployments = once(partial(_deployments, objects))
    for option in adopted:
        yield partial(_verify_adopted, option, deployments)


def _verify_adopted(option: Mapping[str, Any], deployments: Callable[[], Sequence[Object] | None]) -> str:
    return verify(_controller(option), deployments())


def _controller(option: Mapping[str, Any]) -> Controller:
    name, oldest = option["name"], option.get("oldest") or ""
    release = _release(oldest)
    if oldest and not release:
        remedy = "Write it as major and minor, such as 1.26."
        raise MastodonError(f"Option adopted of {name}", "wrong oldest release", f"{oldest} is not a version", remedy)
    return Controller(name, option["image"], release)


def _release(version: str) -> tuple[int, int] | None:
    """Return major and minor of a version; None when it has none."""
    numbers = _RELEASE.match(version)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def _deployments(objects: Api) -> Sequence[Object] | None:
    try:
        return objects.read(Selection(DEPLOYMENT)).objects
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return None


def verify(controller: Controller, deployments: Sequence[Object] | None) -> str:
    """Report that the controller runs. Raises MastodonError when it does not, or is too old for us.

    `deployments` are the cluster's, or None when they may not be listed.
    """
    if deployments is None:
        raise SkippedError(f"{controller.name}: you may not list Deployments, so whether it runs was not checked")
    found = [item for item in deployments if _version_of(controller, item) is not None]
    if not found:
        raise SkippedError(
            f"{controller.name}: no Deployment has an image called {controller.image}, so nothing more was checked"
        )
    for item in found:
        _must_run(controller, item)
        _must_be_new_enough(controller, item)
    versions = sorted({_version_of(controller, item) or "of an unknown version" for item in found})
    return f"{controller.name}: {', '.join(versions)} runs in {', '.join(sorted({_place(item) for item in found}))}"


def running(controller: Controller, objects: Api) -> dict[str, str]:
    """Return what runs of the controller, by the name of its Deployment, with its version; nothing where they may not be listed."""
    found = {_place(item): _version_of(controller, item) for item in _deployments(objects) or ()}
    return {place: version for place, version in found.items() if version is not None}


def _must_run(controller: Controller, item: Object) -> None:
    status = compute(item)
    idle = at(item, "spec.replicas", 1) == 0
    if status.verdict == "Current" and not idle:
        return
    why = "it is scaled to zero replicas" if idle else str(status)
    namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
    remedy = f"Scale it up: kubectl scale deployment {name} -n {namespace} --replicas=1."
    if not idle:
        remedy = f"Check its pods: kubectl describe deployment {name} -n {namespace}."
    raise MastodonError(_place(item), f"{controller.name} does not run", why, remedy)


def _must_be_new_enough(controller: Controller, item: Object) -> None:
    version = _version_of(controller, item) or ""
    release = _release(version)
    if controller.oldest and release and release < controller.oldest:
        oldest = ".".join(map(str, controller.oldest))
        remedy = f"Upgrade it to {oldest} or newer."
        raise MastodonError(_place(item), f"{controller.name} is too old", f"it is {version}", remedy)


def _place(item: Object) -> str:
    return f"Deployment {item['metadata']['namespace']}/{item['metadata']['name']}"


def _version_of(controller: Controller, item: Object) -> str | None:
    """Return the version of the controller that a Deployment runs, empty when it does not say; None when it runs another."""
    for container in at(item, "spec.template.spec.containers", []):
        path, tag = _split(str(container.get("image", "")))
        if f"/{path}".endswith(f"/{controller.image}"):
            return tag or str(at(item, "metadata.labels", {}).get("app.kubernetes.io/version", ""))
    return None


def _split(image: str) -> tuple[str, str]:
    """Return path and tag of an image, whose registry may have a port."""
    named = image.partition("@")[0]
    path, colon, tag = named.rpartition(":")
    return (path, tag) if colon and "/" not in tag else (named, "")
