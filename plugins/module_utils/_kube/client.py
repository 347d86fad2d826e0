# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST and JSON to one API server: keep-alive, bounded retries, every request counted and within the task's time.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

import json
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.body import Body, encode
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import refused
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import (
    Fate,
    Limit,
    Retries,
    of_answer,
    of_error,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.warnings import Warnings

# Ansible's own checks import every file without these; `needs` tells users in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    from urllib3 import HTTPHeaderDict
    from urllib3.exceptions import HTTPError, SSLError

_CONNECT_SECONDS = 10
# An API server gives a webhook up to 30 s, and any request a minute.
_READ_SECONDS = 60
# Of what is only read, and of a watch: a connection may have died in silence.
_SILENT_SECONDS = 30
# At the very end of a task, too, an answer that is on its way is taken.
_AT_LEAST_SECONDS = 5.0
_TELL_EVERY = 10.0


class _AnswerError(Exception):
    """An answer that is of no use: what it means, and what another attempt would get."""

    def __init__(self, meaning: MastodonError, fate: Fate) -> None:
        super().__init__(meaning)
        self.meaning = meaning
        self.fate = fate


class Client:
    """Sends requests. Safe for threads. Every request it repeats is idempotent: reads, applies, guarded deletes.

    With a `limit`, a server that goes away is waited for as long as the limit allows. `say` tells so, and what the server
    warns of, each once; of what only we read, the user is not the one to be warned.

    `began` is the server's clock at its first answer, the beginning of time when it does not tell.
    """

    def __init__(
        self,
        connection: Connection,
        sleep: Callable[[float], None] = time.sleep,
        *,
        limit: Limit | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._connection = connection
        self._warnings = Warnings(say)
        self._sleep = sleep
        self._limit = limit
        self._say = say
        self._count = 0
        self._lock = threading.Lock()
        self._told = -_TELL_EVERY
        # Whether this server has ever answered as one does.
        self._known = False
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
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        secret: bool = False,
    ) -> Any:
        """Return the JSON answer. `about` names the object in errors; `secret` keeps its values out of them.

        Raises ApiError for what the server refuses and MastodonError when it cannot be reached.
        """
        content = encode(body, about) if body is not None else None
        retries = Retries(self._limit)
        while True:
            try:
                response = self._send(method, path, query, content, headers)
                if method != "GET":
                    self._warnings.tell(response.headers, about, secret=secret)
                return self._read(response, about, secret=secret)
            except HTTPError as error:
                failure, fate, asked_for = self._lost(error), of_error(error, known=self._known), None
            except _AnswerError as error:
                failure, fate, asked_for = error.meaning, error.fate, response.headers.get("Retry-After")
            pause = retries.pause(fate, asked_for, known=self._known)
            if pause is None:
                raise failure
            if retries.are_many:
                self._tell(failure)
            self._sleep(pause)

    def _read(self, response: urllib3.BaseHTTPResponse, about: str, *, secret: bool) -> Any:
        if response.status >= 300:
            fate = of_answer(response.status, response.data, known=self._known)
            raise _AnswerError(self._refused(about, response, secret=secret), fate)
        try:
            told = json.loads(response.data)
        except ValueError as error:
            # A connection that broke at the wrong moment, or the login page of a proxy.
            why = f"its answer ({response.status}) is no JSON"
            remedy = "Check that the address in the kubeconfig is the API server's, and what is in between."
            meaning = MastodonError(f"API server {self._connection.host}", "cannot be understood", why, remedy)
            raise _AnswerError(meaning, Fate.SOON) from error
        self._known = True
        return told

    def stream(self, path: str, *, about: str, query: Mapping[str, str], seconds: int) -> Stream:
        """Open a watch that the server ends after `seconds`. It also ends when nothing comes for half a minute."""
        try:
            response = self._send("GET", path, query, None, None, preload_content=False)
        except HTTPError as error:
            raise self._lost(error) from error
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
        with self._lock:
            self._count += 1
        url = f"{self._connection.host}{path}{'?' + urlencode(query) if query else ''}"
        sent = HTTPHeaderDict({"Accept": "application/json", "User-Agent": "fediverse.mastodon"})
        # Those of whom is acted as may come several times, once a group.
        sent.extend(self._connection.headers())
        sent.update(headers or {})
        response = self._connection.pool.request(
            method, url, body=content, headers=sent, redirect=False, timeout=self._timeout(method), **options
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

    def _timeout(self, method: str) -> urllib3.Timeout:
        usual = _SILENT_SECONDS if method == "GET" else _READ_SECONDS
        most = max(self._limit.remaining, _AT_LEAST_SECONDS) if self._limit else usual
        return urllib3.Timeout(connect=min(_CONNECT_SECONDS, most), read=min(usual, most))

    def _lost(self, error: HTTPError) -> MastodonError:
        # What else is kept open goes the same way, and would cost another timeout each.
        self._connection.pool.clear()
        return self._unreachable(error)

    def _tell(self, failure: MastodonError) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._told + _TELL_EVERY:
                return
            self._told = now
        self._say(f"{failure.subject} {failure.failed}: {failure.why}; asking again")

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


def _innermost(error: BaseException) -> str:
    """Return the cause without urllib3's wrapping of it."""
    reason = getattr(error, "reason", None) or error.__cause__ or error.__context__
    while isinstance(reason, BaseException) and not isinstance(error, ssl.SSLError):
        error, reason = reason, reason.__cause__ or reason.__context__
    return str(getattr(error, "strerror", None) or error)
