# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST and JSON to one API server: keep-alive, bounded retries, every request counted and within the task's time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.body import Body, encode
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import refused, unreachable
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.retries import (
    Fate,
    Limit,
    Retries,
    of_answer,
    of_error,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.warnings import Warnings
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.watch import Stream
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked, parsed

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import urllib3
    from urllib3 import HTTPHeaderDict
    from urllib3.exceptions import HTTPError, ProtocolError

_CONNECT_SECONDS = 10
# An API server gives a webhook up to 30 s, and any request a minute.
_READ_SECONDS = 60
# A list of the longest pages, over a slow line.
_WHOLE_SECONDS = 120
# Of what is only read, and of a watch: a connection may have died in silence.
_SILENT_SECONDS = 30
# At the very end of a task, too, an answer that is on its way is taken.
_AT_LEAST_SECONDS = 5.0
# No time at all is none that can be waited.
_NO_SECONDS = 0.001
_TELL_EVERY = 10.0


class _AnswerError(Exception):
    """An answer that is of no use: what it means, and what another attempt would get."""

    def __init__(self, meaning: MastodonError, fate: Fate) -> None:
        super().__init__(meaning)
        self.meaning = meaning
        self.fate = fate


@dataclass(frozen=True)
class _Asked:
    """One request. `read` looks at what is answered and returns what is of use; `secret` keeps it out of errors."""

    method: str
    path: str
    about: str
    query: Mapping[str, str] | None = None
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] | None = None
    secret: bool = False
    read: Callable[[Any], Any] = lambda answer: checked(answer, kind=dict)


class Client:
    """Sends requests. Safe for threads. Every request it repeats is idempotent: reads, applies, guarded deletes.

    With a `limit`, a server that goes away is waited for as long as the limit allows. `say` says so, and what the server
    warns of, each once; of what only we read, the user is not the one to be warned.

    `began` is the server's clock at its first answer, the beginning of time when it does not say.
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
        self._last_line = -_TELL_EVERY
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
        read: Callable[[Any], Any] = lambda answer: checked(answer, kind=dict),
    ) -> Any:
        """Return the JSON answer. `about` names the object in errors; `secret` keeps its values out of them.

        `read` raises WrongShapeError for an answer that is not made as it should be. Raises ApiError for what the server
        refuses and MastodonError when it cannot be reached or understood.
        """
        content = encode(body, about) if body is not None else None
        return self._insist(_Asked(method, path, about, query, content, headers, secret, read))

    def _insist(self, asked: _Asked) -> Any:
        """Ask until there is an answer, or no use in asking again."""
        retries = Retries(self._limit)
        while True:
            try:
                response = self._send(asked)
                if asked.method != "GET":
                    self._warnings.report(response.headers, asked.about, secret=asked.secret)
                return self._read(response, asked)
            except (HTTPError, TimeoutError) as error:
                failure, fate, asked_for = self._lost(error), of_error(error, known=self._known), None
            except _AnswerError as error:
                failure, fate, asked_for = error.meaning, error.fate, response.headers.get("Retry-After")
            pause = retries.pause(fate, asked_for, known=self._known)
            if pause is None:
                raise failure
            if retries.are_many:
                self._report(failure)
            self._sleep(pause)

    def _read(self, response: urllib3.BaseHTTPResponse, asked: _Asked) -> Any:
        if response.status >= 300:
            fate = of_answer(response.status, response.data, known=self._known)
            raise _AnswerError(self._refused(asked.about, response, secret=asked.secret), fate)
        try:
            answer = asked.read(parsed(response.data))
        except WrongShapeError as error:
            # A connection that broke at the wrong moment, or the login page of a proxy.
            subject, why = (
                f"API server {self._connection.host}",
                f"asked for {asked.about}, it answers {response.status}: {error}",
            )
            remedy = "Check that the address in the kubeconfig is the API server's, and what is in between."
            raise _AnswerError(MastodonError(subject, "cannot be understood", why, remedy), Fate.SOON) from error
        self._known = True
        return answer

    def text(self, path: str, *, about: str, query: Mapping[str, str]) -> str:
        """Return an answer that is no JSON, such as a log, asked for once. Raises as `request` does."""
        try:
            response = self._send(_Asked("GET", path, about, query))
        except (HTTPError, TimeoutError) as error:
            raise self._lost(error) from error
        if response.status >= 300:
            raise self._refused(about, response)
        return response.data.decode(errors="replace")

    def stream(self, path: str, *, about: str, query: Mapping[str, str], seconds: int) -> Stream:
        """Open a watch that the server ends after `seconds`. It also ends when nothing comes for half a minute."""
        try:
            response = self._send(_Asked("GET", path, about, query), preload_content=False)
        except (HTTPError, TimeoutError) as error:
            raise self._lost(error) from error
        if response.status >= 300:
            raise self._refused(about, response)
        return Stream(response)

    def _send(self, asked: _Asked, **options: Any) -> urllib3.BaseHTTPResponse:
        with self._lock:
            self._count += 1
        url = f"{self._connection.host}{asked.path}{'?' + urlencode(asked.query) if asked.query else ''}"
        sent = HTTPHeaderDict({"Accept": "application/json", "User-Agent": "fediverse.mastodon"})
        # Those of whom is acted as may come several times, once a group.
        sent.extend(self._connection.headers())
        sent.update(asked.headers or {})
        options = {"body": asked.content, "headers": sent, "redirect": False, **options}
        whole, each = self._patience(asked.method)
        with within(whole):
            response = self._pooled(asked.method, url, timeout=each, **options)
        self._note_time(response)
        return response

    def _pooled(self, *given: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._connection.pool.request(*given, **options)
        except (ArithmeticError, ValueError) as error:
            # Lengths that are none, and the like, which neither urllib3 nor http.client foresees.
            raise ProtocolError(f"its answer is not HTTP ({type(error).__name__})") from error

    def _note_time(self, response: urllib3.BaseHTTPResponse) -> None:
        date = response.headers.get("Date")
        if date and self.began.year == datetime.min.year:
            with suppress(ValueError, TypeError, OverflowError):
                self.began = parsedate_to_datetime(date).astimezone(UTC)

    def _refused(self, about: str, response: urllib3.BaseHTTPResponse, *, secret: bool = False) -> MastodonError:
        # Wrong credentials are no fault of the object that was asked for first.
        subject = f"API server {self._connection.host}" if response.status == 401 else about
        return refused(subject, response.status, response.data, secret=secret)

    def _patience(self, method: str) -> tuple[float, urllib3.Timeout]:
        """Return how long a whole answer may take, and each part of it."""
        usual = _SILENT_SECONDS if method == "GET" else _READ_SECONDS
        least = _NO_SECONDS if self._limit and self._limit.is_strict else _AT_LEAST_SECONDS
        most = max(self._limit.remaining, least) if self._limit else _WHOLE_SECONDS
        each = urllib3.Timeout(connect=min(_CONNECT_SECONDS, most), read=min(usual, most))
        return min(_WHOLE_SECONDS, most), each

    def _lost(self, error: Exception) -> MastodonError:
        # What else is kept open goes the same way, and would cost another timeout each.
        self._connection.pool.clear()
        return unreachable(self._connection.host, error)

    def _report(self, failure: MastodonError) -> None:
        with self._lock:
            now = time.monotonic()
            if now < self._last_line + _TELL_EVERY:
                return
            self._last_line = now
        self._say(f"{failure.subject} {failure.failed}: {failure.why}; asking again")
