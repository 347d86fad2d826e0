# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs already, read from where it is at work: Mastodon's own environment and image, and its release.

A record of our own would say what we once meant, not what other servers know. Of one that was uninstalled nothing else is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import leaving
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.upgrade_path import Release, parse
from ansible_collections.fediverse.mastodon.plugins.module_utils._environment import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

# On the HelmRelease: by which key its fingerprints were made, and those of the secrets that may never change.
ANNOTATION = "fediverse.mastodon/fingerprints"
# On the ConfigMap that stands for a Mastodon that was uninstalled: its release, and where the database itself is.
_RELEASE = "fediverse.mastodon/release"
_DIRECT_HOST = "fediverse.mastodon/direct-host"

# Every chart of Mastodon sets it on all that belongs to a release.
_LABEL = "app.kubernetes.io/name=mastodon"
# Of a release in Flux's history: https://fluxcd.io/flux/components/helm/helmreleases/#history
_WAS_UP = ("deployed", "superseded")
_INSTANCE = "app.kubernetes.io/instance"
# What an instance is known by, and where it keeps its data, by what the chart calls it in its values.
VALUES = {
    name: VARIABLES[name]
    for name in ("LOCAL_DOMAIN", "WEB_DOMAIN", "DB_HOST", "DB_NAME", "REDIS_HOST", "S3_ENDPOINT", "S3_BUCKET")
}


@dataclass(frozen=True)
class Launched:
    """A Mastodon that runs, ran or was to run, in `namespace` as the release `name`. `environment` is Mastodon's own.

    One that was never `installed` is a release that Flux did not get up even once, and one that `runs` has pods. Behind a pooler,
    `direct_host` is where the database itself is. `leaving` is what makes it leave the federation, empty for one that stays. `coming` is
    the release that Flux was given, and is at work on.
    """

    namespace: str
    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    installed: bool = True
    direct_host: str = ""
    release: Release | None = None
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    runs: bool = False
    leaving: str = ""
    coming: Release | None = None

    def __str__(self) -> str:
        """Return how errors call it."""
        return f"Mastodon {self.namespace}/{self.name}"

    @property
    def local_domain(self) -> str:
        """Return the domain of its accounts, empty when nothing shows it any more."""
        return self.environment.get("LOCAL_DOMAIN", "")

    @property
    def web_domain(self) -> str:
        """Return where it is found, also when that is the local domain."""
        return self.environment.get("WEB_DOMAIN") or self.local_domain


def fullname(name: str) -> str:
    """Return what the chart's objects are called for a release of this name."""
    return name if "mastodon" in name else f"{name}-mastodon"


def read(view: ClusterView, applied: Sequence[Object], namespace: str, name: str) -> list[Launched]:
    """Return every Mastodon of the cluster, the one that is `namespace/name` with its version, fingerprints and whether it runs.

    `applied` are the cluster's HelmReleases.
    """
    maps, releases = _config_maps(view), _releases(applied)
    web = view.one(kinds.DEPLOYMENT, f"{fullname(name)}-web", namespace)
    here = (namespace, name)
    return [
        _launched(place, maps[place], releases[place], web if place == here else {})
        for place in sorted({*maps, *releases, *([here] if web else [])})
    ]


def _config_maps(view: ClusterView) -> dict[tuple[str, str], Object]:
    """Return those that hold Mastodon's environment, or held it when it was uninstalled, by its place."""
    found: dict[tuple[str, str], Object] = defaultdict(dict)
    for item in sorted(view.everywhere(kinds.CONFIG_MAP, _LABEL), key=lambda item: not _note(item, _RELEASE)):
        metadata, data = item["metadata"], item.get("data") or {}
        # The one of the chart's hooks says what an install that failed was to be.
        if data.get("LOCAL_DOMAIN") and not metadata["name"].endswith("-predeploy"):
            release = (metadata.get("labels") or {}).get(_INSTANCE) or metadata["name"].removesuffix("-env")
            found[metadata["namespace"], release] = item
    return found


def _releases(applied: Sequence[Object]) -> dict[tuple[str, str], Object]:
    found: dict[tuple[str, str], Object] = defaultdict(dict)
    for item in applied:
        if at(item, "spec.values.mastodon.localDomain"):
            found[place_of(item)] = item
    return found


def place_of(release: Object) -> tuple[str, str]:
    """Return where helm-controller installs what a HelmRelease says: https://fluxcd.io/flux/components/helm/helmreleases/#release-name"""
    spec, metadata = release["spec"], release["metadata"]
    target = spec.get("targetNamespace")
    name = f"{target}-{metadata['name']}" if target else metadata["name"]
    return target or metadata["namespace"], spec.get("releaseName") or name


def _launched(place: tuple[str, str], config_map: Object, release: Object, web: Object) -> Launched:
    environment: Mapping[str, str] = config_map.get("data") or {}
    values: Mapping[str, Any] = at(release, "spec.values", {})
    declared = {name: str(at(values, path) or "") for name, path in VALUES.items()}
    history: Sequence[Mapping[str, str]] = at(release, "status.history", [])
    was_up = any(entry.get("status") in _WAS_UP for entry in history)
    # A release that did not get up since then has left the database to the one before it.
    recorded = "" if was_up else _note(config_map, _RELEASE)
    of_history = history[0].get("appVersion", "") if history else ""
    installed = bool(environment or web or was_up)
    version = _tag(web) or recorded or str(at(values, "image.tag") or "") or of_history
    known = parse(version) if installed else None
    # As long as the release says of both what is at work.
    agrees = environment.get("DB_HOST", declared["DB_HOST"]) == declared["DB_HOST"]
    direct = str(at(values, "postgresql.direct.hostname", "")) if agrees else ""
    direct = direct or _note(config_map, _DIRECT_HOST)
    fingerprints = _recorded(release) or _recorded(config_map)
    leaves = at(values, f"mastodon.extraEnvVars.{leaving.VARIABLE}", "") or environment.get(leaving.VARIABLE, "")
    coming = None if at(release, "spec.suspend", False) else parse(str(at(values, "image.tag") or ""))
    return Launched(*place, environment or declared, installed, direct, known, fingerprints, bool(web), leaves, coming)


def _tag(deployment: Object) -> str:
    containers: Sequence[Mapping[str, str]] = at(deployment, "spec.template.spec.containers", []) or [{}]
    return containers[0].get("image", "").partition("@")[0].rpartition(":")[2]


def _recorded(item: Object) -> dict[str, str]:
    return dict(pair.split("=", maxsplit=1) for pair in _note(item, ANNOTATION).split() if "=" in pair)


def _note(item: Object, annotation: str) -> str:
    return str(at(item, "metadata.annotations", {}).get(annotation, ""))


def written(fingerprints: Mapping[str, str]) -> str:
    """Return the annotation's value."""
    return " ".join(f"{name}={value}" for name, value in sorted(fingerprints.items()))
