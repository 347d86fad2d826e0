# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs already, read from where it is at work: Mastodon's own environment and image, and the release's annotation.

A record of our own would say what we once meant, not what other servers know. This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.ladder import Release, parse

# On the HelmRelease: by which key its fingerprints were made, and those of the secrets that may never change.
ANNOTATION = "fediverse.mastodon/fingerprints"

_CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
_DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
_HELM = ("helm.toolkit.fluxcd.io", "v2", "HelmRelease")


@dataclass(frozen=True)
class Launched:
    """A Mastodon that runs, or ran. `web_domain` is where it is found, also when that is the local domain."""

    local_domain: str
    web_domain: str
    release: Release | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)


def fullname(name: str) -> str:
    """Return what the chart's objects are called for a release of this name."""
    return name if "mastodon" in name else f"{name}-mastodon"


def read(objects: Objects, namespace: str, name: str) -> Launched | None:
    """Return what runs in the namespace as the release `name`, or None when that was never launched."""
    environment = _one(objects, Selection(_CONFIG_MAP, namespace, f"{fullname(name)}-env")).get("data") or {}
    if not environment.get("LOCAL_DOMAIN"):
        return None
    web = _one(objects, Selection(_DEPLOYMENT, namespace, f"{fullname(name)}-web"))
    resource = objects.discover().find(*_HELM)
    helm = _one(objects, Selection(resource, namespace, name)) if resource else {}
    return Launched(
        environment["LOCAL_DOMAIN"],
        environment.get("WEB_DOMAIN") or environment["LOCAL_DOMAIN"],
        parse(_tag(web) or _tag_of_values(helm) or _chart_version(helm)),
        _recorded(helm),
    )


def _one(objects: Objects, selection: Selection) -> Object:
    return next(iter(objects.read(selection).objects), {})


def _tag(deployment: Object) -> str:
    if not deployment:
        return ""
    image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return image.partition("@")[0].rpartition(":")[2]


def _tag_of_values(helm: Object) -> str:
    values: Mapping[str, Any] = (helm.get("spec") or {}).get("values") or {}
    return str((values.get("image") or {}).get("tag") or "")


def _chart_version(helm: Object) -> str:
    history: list[Mapping[str, str]] = (helm.get("status") or {}).get("history") or [{}]
    return str(history[0].get("appVersion") or "")


def _recorded(helm: Object) -> dict[str, str]:
    written = ((helm.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION, "")
    return dict(pair.split("=", maxsplit=1) for pair in written.split() if "=" in pair)


def written(fingerprints: Mapping[str, str]) -> str:
    """Return the annotation's value."""
    return " ".join(f"{name}={value}" for name, value in sorted(fingerprints.items()))
