# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the Kubernetes API that the engine needs, on plain dicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import (
    ACCEPT,
    Catalog,
    Resource,
    parse,
    stale,
    unanswered_error,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import ApiError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import Limit
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.shapes import (
    a_deletion,
    a_page,
    an_object,
    of_discovery,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.watch import Stream

Object = dict[str, Any]

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# Of no use to the engine: Helm keeps its releases in Secrets of up to 1 MiB each; of events only warnings explain anything.
_FIELD_SELECTORS = {("", "Secret"): "type!=helm.sh/release.v1", ("", "Event"): "type!=Normal"}
_PAGE = "500"
_GONE = 410


@dataclass(frozen=True)
class Selection:
    """The objects of one kind in one namespace (empty: not namespaced, or all).

    Only the one called `name`, or those that selectors allow, in the API server's format. `complete` is whether those count that
    are of no use to the engine, as they do to people.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    fields: str = ""
    labels: str = ""
    complete: bool = False

    def __str__(self) -> str:
        """Return how errors call it."""
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.resource.kind} {place}".rstrip()

    def query(self) -> dict[str, str]:
        """Return the query that selects exactly these objects."""
        if self.name:
            return {"fieldSelector": f"metadata.name={_escaped(self.name)}"}
        usual = "" if self.complete else _FIELD_SELECTORS.get((self.resource.group, self.resource.kind), "")
        fields = self.fields or usual
        return {
            **({"fieldSelector": fields} if fields else {}),
            **({"labelSelector": self.labels} if self.labels else {}),
        }


def _escaped(value: str) -> str:
    # https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/fields/selector.go (EscapeValue)
    return re.sub(r"([\\,=])", r"\\\1", value)


def _place(resource: Resource, item: Object) -> tuple[str, str]:
    """Return how errors call an object, and its path."""
    selection = Selection(resource, item["metadata"].get("namespace", ""), item["metadata"]["name"])
    return str(selection), resource.path(selection.namespace, selection.name)


@dataclass(frozen=True)
class Listing:
    """Objects as they were at `resource_version`, from which a watch can go on."""

    objects: tuple[Object, ...]
    resource_version: str


class Objects:
    """One API server's objects."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._catalog = Catalog(())

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._client.requests

    @property
    def began(self) -> datetime:
        """The API server's clock at its first answer."""
        return self._client.began

    def discover(self) -> Catalog:
        """Ask which kinds are served."""
        documents = [
            self._client.request(
                "GET", path, about="the kinds it serves", headers={"Accept": ACCEPT}, read=of_discovery
            )
            for path in ("/api", "/apis")
        ]
        found = [resource for document in documents for resource in parse(document)]
        self._catalog = Catalog(found, (one for document in documents for one in stale(document)))
        return self._catalog

    def read(self, selection: Selection) -> Listing:
        """Read objects, page by page."""
        return self._pages(selection, {})

    def names(self, selection: Selection) -> set[str]:
        """Return only which objects exist."""
        listing = self._pages(selection, {"Accept": _METADATA_ONLY})
        return {item["metadata"]["name"] for item in listing.objects}

    def _pages(self, selection: Selection, headers: Mapping[str, str]) -> Listing:
        try:
            items, version = self._list(selection, headers, {"limit": _PAGE})
        except ApiError as error:
            if error.status != _GONE:
                raise
            # The pages were read too slowly: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
            items, version = self._list(selection, headers, {})
        # Items of a list come without the kind that the list has.
        whole = {"apiVersion": selection.resource.api_version, "kind": selection.resource.kind}
        return Listing(tuple({**whole, **item} for item in items), version)

    def _list(
        self, selection: Selection, headers: Mapping[str, str], limit: Mapping[str, str]
    ) -> tuple[list[Object], str]:
        path, query = selection.resource.path(selection.namespace), {**selection.query(), **limit}
        items: list[Object] = []
        while True:
            asked = {"about": str(selection), "query": query, "headers": headers, "read": a_page}
            page = self._ask(selection.resource, "GET", path, **asked)
            items += page.get("items") or []
            # Servers of aggregated groups, such as that of metrics, have no versions.
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                return items, metadata.get("resourceVersion", "")
            query["continue"] = metadata["continue"]

    def watch(self, selection: Selection, resource_version: str, seconds: int) -> Stream:
        """Follow changes after `resource_version`, for at most `seconds`."""
        query = {
            **selection.query(),
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        path = selection.resource.path(selection.namespace)
        return self._client.stream(path, about=str(selection), query=query, seconds=seconds)

    def apply(self, resource: Resource, body: Object, *, manager: str, force: bool, dry_run: bool) -> Object:
        """Server-side apply. Returns the object as it is, or would be, afterwards."""
        query = {"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"}
        query |= {"dryRun": "All"} if dry_run else {}
        return self._patch(resource, body, body, "application/apply-patch+yaml", query)

    def annotate(self, resource: Resource, namespace: str, name: str, notes: Mapping[str, str], manager: str) -> Object:
        """Set annotations as field manager `manager`, leaving all others."""
        body = {"metadata": {"namespace": namespace, "name": name, "annotations": dict(notes)}}
        return self._patch(resource, body, body, "application/merge-patch+json", {"fieldManager": manager})

    def reassign(self, resource: Resource, live: Object, entries: list[dict[str, Any]]) -> Object:
        """Set who owns which fields of an object. Raises ApiError with status 409 when it is no longer as in `live`."""
        version = {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
        patch = [{"op": "replace", "path": "/metadata/managedFields", "value": entries}, version]
        return self._patch(resource, live, patch, "application/json-patch+json", {})

    def delete(
        self, resource: Resource, live: Object, *, dry_run: bool, orphan: bool = False, as_seen: bool = False
    ) -> None:
        """Delete exactly this object, not one of the same name made meanwhile; with `orphan`, without what it owns.

        With `as_seen`, a change since `live` was read is a conflict (409).
        """
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Orphan" if orphan else "Background",
            "preconditions": {key: live["metadata"][key] for key in ("uid", *(["resourceVersion"] if as_seen else []))},
            # As a query the API server passes over it when there is a body, and deletes:
            # https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/delete.go
            **({"dryRun": ["All"]} if dry_run else {}),
        }
        about, path = _place(resource, live)
        # Both, as an audit log shows no body.
        query = {"dryRun": "All"} if dry_run else {}
        self._ask(resource, "DELETE", path, about=about, query=query, body=options, read=a_deletion)

    def log(self, pod: Object, container: str, lines: int) -> str:
        """Return the end of what a container of a pod logged."""
        place = pod["metadata"]["namespace"], pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{place[0]}/pods/{quote(place[1])}/log"
        return self._client.text(
            path, about=f"Pod {'/'.join(place)}", query={"container": container, "tailLines": str(lines)}
        )

    def _patch(
        self, resource: Resource, item: Object, body: Any, content_type: str, query: Mapping[str, str]
    ) -> Object:
        about, path = _place(resource, item)
        headers, secret = {"Content-Type": content_type}, resource.kind == "Secret"
        options = {"about": about, "query": query, "body": body, "headers": headers, "secret": secret}
        result: Object = self._ask(resource, "PATCH", path, **options, read=an_object)
        return result

    def _ask(self, resource: Resource, method: str, path: str, **options: Any) -> Any:
        try:
            return self._client.request(method, path, **options)
        except ApiError as error:
            silent = unanswered_error(self._catalog, resource.group, resource.version) if error.status == 503 else None
            if silent:
                raise silent from error
            raise


def open_objects(
    connection: Connection, limit: Limit | None = None, say: Callable[[str], None] = lambda line: None
) -> Objects:
    """Return the objects of a cluster. `limit` is how long their task may take, if it waits; `say` shows what it waits for."""
    return Objects(Client(connection, limit=limit, say=say))
