# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cloudflare on loopback, by its documented API: https://developers.cloudflare.com/api/resources/dns/.

It takes one token, and pages what it lists; a batch is made whole or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.fediverse.mastodon.tests.integration.edge.service import Answer

PATH = "/client/v4/"


class RefusedError(Exception):
    """The service refuses a request: status, code and message."""


class Cloudflare:
    """Zones by name, each with its records by identity, and the one token that may change them."""

    def __init__(self, *zones: str, token: str) -> None:
        self._records: dict[str, dict[str, dict[str, Any]]] = {zone: {} for zone in zones}
        self._ids = {f"{number:032x}": zone for number, zone in enumerate(zones)}
        self._token = token
        self._made = 0

    def contents(self, zone: str, name: str, kind: str) -> list[str]:
        """Return what the records of a name and type hold."""
        found = self._records[zone].values()
        return [record["content"] for record in found if (record["name"], record["type"]) == (name, kind)]

    def names(self, zone: str) -> set[str]:
        """Return which names a zone has records of."""
        return {record["name"] for record in self._records[zone].values()}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request."""
        try:
            if headers.get("Authorization") != f"Bearer {self._token}":
                raise RefusedError(403, 9109, "Invalid access token")
            status, reported = (
                200,
                {"success": True, "errors": [], "messages": [], **self._answer(method, target, body)},
            )
        except RefusedError as error:
            status, code, message = error.args
            reported = {
                "success": False,
                "errors": [{"code": code, "message": message}],
                "messages": [],
                "result": None,
            }
        return Answer(status, "application/json", json.dumps(reported))

    def _answer(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        path = parts.path.removeprefix(PATH)
        if (method, path) == ("GET", "zones"):
            plan = {"id": "free", "name": "Free Website", "is_subscribed": False}
            return _page(page, [{"id": identity, "name": zone, "plan": plan} for identity, zone in self._ids.items()])
        found = re.fullmatch(r"zones/(\w+)/dns_records(/batch)?", path)
        zone = self._ids.get(found[1]) if found else None
        if not found or not zone:
            raise RefusedError(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?")
        if (method, found[2]) == ("GET", None):
            return _page(page, list(self._records[zone].values()))
        if method == "POST":
            return {"result": self._batch(zone, json.loads(body)) if found[2] else self._post(zone, json.loads(body))}
        raise RefusedError(405, 10405, "Method not allowed")

    def _batch(self, zone: str, batch: Mapping[str, Any]) -> dict[str, Any]:
        before = dict(self._records[zone])
        try:
            deleted = [self._records[zone].pop(one["id"]) for one in batch.get("deletes") or ()]
            posted = [self._post(zone, one) for one in batch.get("posts") or ()]
        except (KeyError, RefusedError):
            self._records[zone] = before
            raise
        return {"deletes": deleted, "patches": [], "puts": [], "posts": posted}

    def _post(self, zone: str, record: Mapping[str, Any]) -> dict[str, Any]:
        name, kind, content = (str(record[key]) for key in ("name", "type", "content"))
        if not f".{name}".endswith(f".{zone}"):
            raise RefusedError(400, 9000, f"DNS name {name} is invalid in zone {zone}.")
        if record["ttl"] != 1 and not 60 <= record["ttl"] <= 86400:
            raise RefusedError(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        if record.get("proxied") and kind == "TXT":
            raise RefusedError(400, 9004, "This record type cannot be proxied.")
        if content in self.contents(zone, name, kind):
            raise RefusedError(400, 81058, "An identical record already exists.")
        self._made += 1
        made = {**record, "id": f"{self._made:032x}", "name": name, "zone_name": zone}
        self._records[zone][made["id"]] = made
        return made


def _page(number: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    shown = items if number == 1 else []
    reported = {"page": number, "per_page": 100, "count": len(shown), "total_count": len(items), "total_pages": 1}
    return {"result": shown, "result_info": reported}
