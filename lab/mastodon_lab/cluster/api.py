# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little that the lab itself asks the API server, over HTTPS with the admin's certificate."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from mastodon_lab.lab import API_PORT, Lab

SECONDS = 5.0
# https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class NotAnsweringError(Exception):
    """The API server can't be reached or answers with an error; the text says which."""


def get(lab: Lab, path: str) -> str:
    """The body of a GET. Raises NotAnsweringError for anything but 200."""
    return _ask(lab, "GET", path)


def merge(lab: Lab, path: str, change: Mapping[str, Any]) -> None:
    """Change some fields of an object. Raises NotAnsweringError."""
    _ask(lab, "PATCH", path, json.dumps(change))


def metadata(lab: Lab, paths: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each of these objects with nothing but its metadata, by one connection. Raises NotAnsweringError."""
    with _connected(lab) as connection:
        for path in paths:
            yield path, json.loads(_answer(connection, "GET", path, {"Accept": METADATA}))


def _ask(lab: Lab, method: str, path: str, body: str | None = None) -> str:
    with _connected(lab) as connection:
        return _answer(connection, method, path, {"Content-Type": "application/merge-patch+json"} if body else {}, body)


@contextmanager
def _connected(lab: Lab) -> Iterator[http.client.HTTPSConnection]:
    try:
        trust = ssl.create_default_context(cafile=str(lab.pki / "ca.crt"))
        trust.load_cert_chain(lab.pki / "admin.crt", lab.pki / "admin.key")
    except OSError as error:
        raise NotAnsweringError(f"the API server does not answer: {error}") from error
    with closing(http.client.HTTPSConnection(lab.node_ip, API_PORT, timeout=SECONDS, context=trust)) as connection:
        yield connection


def _answer(
    connection: http.client.HTTPSConnection, method: str, path: str, headers: Mapping[str, str], body: str | None = None
) -> str:
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise NotAnsweringError(f"the API server does not answer: {error}") from error
    if answer.status != http.client.OK:
        raise NotAnsweringError(f"the API server answers {answer.status} to {path}")
    return text


def get_json(lab: Lab, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(lab, path))
    return found
