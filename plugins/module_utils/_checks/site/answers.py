# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the Mastodon that the cluster runs answers as other servers need it to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import way
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.questions import Site, WrongError
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.visitor import Found, Visitor, visit
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import (
    Object,
    open_objects,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import https
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import behind, flux
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import read_served
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder

SITE_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "domain": {"type": "str", "required": True},
        "web_domain": {"type": "str", "default": ""},
        "domain_elsewhere": {"type": "bool", "default": False},
        "media_hostname": {"type": "str", "default": ""},
        "gateway_namespace": {"type": "str", "required": True},
        "gateway_name": {"type": "str", "required": True},
        "publicly_trusted": {"type": "bool", "default": True},
        "version": {"type": "str", "default": ""},
    },
}
_PAUSE = 2.0


class NotAskedError(Exception):
    """Nothing was asked; the text says why."""


class NotInstalledError(NotAskedError):
    """There is nothing to ask yet."""


def examine(wanted: Mapping[str, Any], connection: Connection, seconds: float, say: Callable[[str], None]) -> Found:
    """Return what was found within so many seconds.

    Raises MastodonError when the site does not answer as it must, NotAskedError when there is nothing, or no way, to ask.
    """
    place = _Place(wanted, connection)
    deadline = Deadline(seconds)
    reminder = Reminder(deadline, after=10)
    visitors = place.visitors()
    while True:
        try:
            return visit(visitors)
        except WrongError as error:
            if not deadline.pause(_PAUSE):
                raise place.silent(str(error)) from error
            if reminder.is_due():
                say(f"waiting for {place.site} ({deadline.elapsed:.0f} s): {error}")


def site_of(wanted: Mapping[str, Any]) -> Site:
    """Return the site that an option describes."""
    host = wanted["web_domain"] or wanted["domain"]
    return Site(wanted["domain"], host, wanted["media_hostname"], wanted["domain_elsewhere"], wanted["version"])


class _Place:
    """What the cluster has of a site."""

    def __init__(self, wanted: Mapping[str, Any], connection: Connection) -> None:
        self.site = site_of(wanted)
        self._wanted = wanted
        self._connection = connection
        self._api = open_objects(connection)
        self._catalog = self._api.discover()
        self._release = self._one(*flux.RELEASE, wanted["namespace"], wanted["name"])

    def visitors(self) -> list[Visitor]:
        """Return who asks: first one who trusts whom everybody trusts."""
        if not any(entry.get("status") in behind.INSTALLED for entry in at(self._release, "status.history", [])):
            place = f"HelmRelease {self._wanted['namespace']}/{self._wanted['name']}"
            raise NotInstalledError(f"{place} was never installed")
        namespace, name = self._wanted["gateway_namespace"], self._wanted["gateway_name"]
        gateway = self._one("gateway.networking.k8s.io", "Gateway", namespace, name)
        if gateway is None:
            remedy = "Run fediverse.mastodon.site with --tags gateway, or correct gateway_name and gateway_namespace."
            raise MastodonError(f"Gateway {namespace}/{name}", "does not exist", "", remedy)
        try:
            found = way.to(gateway, self._api, self._connection)
        except way.NoWayError as reason:
            raise NotAskedError(str(reason)) from reason
        visitors = [Visitor(self.site, found, https.trust_in())]
        if not self._wanted["publicly_trusted"] and (chains := self._chains(gateway)):
            visitors.append(
                Visitor(self.site, found, https.trust_in(*chains), "by a certificate that browsers do not know")
            )
        return visitors

    def silent(self, why: str) -> MastodonError:
        """Return that the site does not answer, and what behind its release may be the cause."""
        remedy = f"Check its pods: kubectl get pods -n {self._wanted['namespace']}."
        return MastodonError(str(self.site), "does not answer as it must", "; ".join([*self._troubles(), why]), remedy)

    def _troubles(self) -> list[str]:
        try:
            return [str(trouble) for trouble in behind.find_problems(self._api, self._catalog, self._release or {})]
        except MastodonError as error:
            # That it may not be seen is not what is wrong with the site.
            return [line.rstrip(".") for line in str(error).splitlines()]

    def _chains(self, gateway: Object) -> list[str]:
        """Return the certificates that the Gateway is to serve the site's hosts with, and whatever issued them."""
        hosts = ("", self.site.host, self.site.domain, self.site.media)
        wanted = {
            (reference.get("namespace") or gateway["metadata"]["namespace"], reference["name"])
            for listener in at(gateway, "spec.listeners", [])
            if listener.get("hostname", "") in hosts or listener["hostname"].startswith("*.")
            for reference in at(listener, "tls.certificateRefs", [])
        }
        secrets = [secret for place in sorted(wanted) if (secret := read_secret(self._connection, *place))]
        return [chain for secret in secrets for key in ("tls.crt", "ca.crt") if (chain := secret.data.get(key, ""))]

    def _one(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        return next(iter(read_served(self._api, self._catalog.preferred(group, kind), namespace, name)), None)
