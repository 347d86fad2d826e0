# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST and JSON to one API server: keep-alive, bounded retries, every request counted.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.body import encode
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import refused

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    from urllib3 import HTTPHeaderDict
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, SSLError

_ATTEMPTS = 5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
# An API server gives a webhook up to 30 s.
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_RETRIED = frozenset({429, 500, 502, 503, 504})
# Answered with 500 but not passing: a webhook is for the caller to judge, as it may be part of what it lays down, and
# a field that does not fit the schema never will.
_LASTING = (b"failed calling webhook", b"failed to create typed patch", b"failed to convert new object")


class _AnswerError(Exception):
    """An answer that is of no use: what it means, and whether another attempt may get a better one."""

    def __init__(self, meaning: MastodonError, *, may_pass: bool) -> None:
        super().__init__(meaning)
        self.meaning = meaning
        self.may_pass = may_pass


class Client:
    """Sends requests. Safe for threads. Every request it repeats is idempotent: reads, applies, guarded deletes.

    `began` is the server's clock at its first answer, the beginning of time when it does not tell.
    """

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep
        self._count = 0
        self._counting = threading.Lock()
        self.began = datetime.min.replace(tzinfo=UTC)

    @property
    def requests(self) -> int:
        """How many requests were sent, repeated ones included."""
        return self._count

    def request(
        self,
        method: str,
        path: str,
        *,
        about: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        secret: bool = False,
    ) -> Any:
        """Return the JSON answer. `about` names the object in errors; `secret` keeps its values out of them.

        Raises ApiError for what the server refuses and MastodonError when it cannot be reached.
        """
        content = encode(body, about) if body is not None else None
        for attempt in range(_ATTEMPTS):
            try:
                response = self._send(method, path, query, content, headers)
                return self._read(response, about, secret=secret)
            except HTTPError as error:
                failure, may_pass, wait = self._unreachable(error), _may_pass(error), None
            except _AnswerError as error:
                failure, may_pass, wait = error.meaning, error.may_pass, response.headers.get("Retry-After")
            if attempt == _ATTEMPTS - 1 or not may_pass:
                raise failure
            self._sleep(_pause(attempt, wait))
        raise AssertionError("the last attempt returns or raises")

    def _read(self, response: urllib3.BaseHTTPResponse, about: str, *, secret: bool) -> Any:
        if response.status >= 300:
            may_pass = _is_transient(response.status, response.data)
            raise _AnswerError(self._refused(about, response, secret=secret), may_pass=may_pass)
        try:
            return json.loads(response.data)
        except ValueError as error:
            # A connection that broke at the wrong moment, or the login page of a proxy.
            why = f"its answer ({response.status}) is no JSON"
            remedy = "Check that the address in the kubeconfig is the API server's, and what is in between."
            told = MastodonError(f"API server {self._connection.host}", "cannot be understood", why, remedy)
            raise _AnswerError(told, may_pass=True) from error

    def stream(self, path: str, *, about: str, query: Mapping[str, str], seconds: int) -> Stream:
        """Open a watch that the server ends after `seconds`."""
        timeout = _timeout(seconds + 30)
        try:
            response = self._send("GET", path, query, None, None, timeout=timeout, preload_content=False)
        except HTTPError as error:
            raise self._unreachable(error) from error
        if response.status >= 300:
            raise self._refused(about, response)
        return Stream(response)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:
        with self._counting:
            self._count += 1
        url = f"{self._connection.host}{path}{'?' + urlencode(query) if query else ''}"
        sent = HTTPHeaderDict({"Accept": "application/json", "User-Agent": "fediverse.mastodon"})
        # Those of whom is acted as may come several times, once a group.
        sent.extend(self._connection.headers())
        sent.update(headers or {})
        response = self._connection.pool.request(
            method, url, body=content, headers=sent, redirect=False, **{"timeout": _timeout(_READ_SECONDS), **options}
        )
        self._note_time(response)
        return response

    def _note_time(self, response: urllib3.BaseHTTPResponse) -> None:
        told = response.headers.get("Date")
        if told and self.began.year == datetime.min.year:
            self.began = parsedate_to_datetime(told)

    def _refused(self, about: str, response: urllib3.BaseHTTPResponse, *, secret: bool = False) -> MastodonError:
        # Wrong credentials are no fault of the object that was asked for first.
        subject = f"API server {self._connection.host}" if response.status == 401 else about
        return refused(subject, response.status, response.data, secret=secret)

    def _unreachable(self, error: HTTPError) -> MastodonError:
        subject = f"API server {self._connection.host}"
        if isinstance(error, SSLError):
            remedy = "Check certificate-authority and client-certificate in the kubeconfig."
            return MastodonError(subject, "TLS failed", _innermost(error), remedy)
        return MastodonError(
            subject, "cannot be reached", _innermost(error), "Check the address in the kubeconfig and that it is up."
        )


class Stream:
    """The lines of one watch, as dicts. `stop` may be called from another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield until the server ends the watch, the connection breaks or `stop` is called."""
        rest = b""
        with suppress(HTTPError, OSError, ValueError):
            for chunk in self._response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
        self._response.close()

    def stop(self) -> None:
        """End the iteration in whichever thread it runs."""
        # Already ended otherwise.
        with suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()


def _timeout(read: int) -> urllib3.Timeout:
    return urllib3.Timeout(connect=_CONNECT_SECONDS, read=read)


def _may_pass(error: HTTPError) -> bool:
    # A wrong address or certificate stays wrong; a refused or reset connection may be a restart. To urllib3 a refused
    # connection is a kind of timeout.
    if isinstance(error, NewConnectionError):
        return not isinstance(error, NameResolutionError)
    return not isinstance(error, (SSLError, ConnectTimeoutError))


def _is_transient(status: int, body: bytes) -> bool:
    return status in _RETRIED and not any(words in body for words in _LASTING)


def _pause(attempt: int, retry_after: str | None) -> float:
    if retry_after and retry_after.isdigit():
        return min(float(retry_after), _LONGEST_PAUSE)
    # Jitter, so that the threads do not come back all at once.
    return _FIRST_PAUSE * float(2**attempt) * random.uniform(0.5, 1.5)  # noqa: S311 no secret


def _innermost(error: BaseException) -> str:
    """Return the cause without urllib3's wrapping of it."""
    reason = getattr(error, "reason", None) or error.__cause__ or error.__context__
    while isinstance(reason, BaseException) and not isinstance(error, ssl.SSLError):
        error, reason = reason, reason.__cause__ or reason.__context__
    return str(getattr(error, "strerror", None) or error)
