# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a scripted pool: which requests go out, which are repeated, what is said."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

HOST = "https://cluster:6443"
NOWHERE: Any = None


class Response:
    """What a pool returns; `chunks` are the pieces of a watch."""

    def __init__(self, status: int, body: Any = None, chunks: tuple[bytes, ...] = (), **headers: str) -> None:
        self.status = status
        self.data = json.dumps(body).encode() if body is not None else b""
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.chunks = chunks
        self.closed = False

    def stream(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if chunk == b"RESET":
                raise ProtocolError("Connection broken")
            yield chunk

    def close(self) -> None:
        self.closed = True

    def shutdown(self) -> None:
        raise ValueError("already ended")


class Pool:
    """Answers in order and notes what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.cleared = 0

    def clear(self) -> None:
        self.cleared += 1

    def request(self, method: str, url: str, **options: Any) -> Any:
        self.asked.append((method, url, options))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Task:
    """How long a task may go on; time passes only by sleeping."""

    remaining: float
    lines: list[str] = field(default_factory=list)
    is_strict: bool = False

    def sleep(self, seconds: float) -> None:
        self.remaining -= seconds

    def client(self, *answers: Response | Exception) -> tuple[Client, Pool]:
        pool: Any = Pool(*answers)
        connection = Connection(HOST, pool, dict)
        return Client(connection, self.sleep, limit=self, say=self.lines.append), pool


def client(*answers: Response | Exception) -> tuple[Client, Pool, list[float]]:
    pauses: list[float] = []
    pool: Any = Pool(*answers)
    return Client(Connection(HOST, pool, lambda: {"authorization": "Bearer x"}), pauses.append), pool, pauses


def test_a_request_carries_credentials_query_and_json() -> None:
    asking, pool, _unused = client(Response(200, {"a": 1}))
    assert asking.request("PATCH", "/api/v1", about="X", query={"q": "a b"}, body={"b": 2}) == {"a": 1}
    method, url, options = pool.asked[0]
    assert (method, url) == ("PATCH", f"{HOST}/api/v1?q=a+b")
    assert json.loads(options["body"]) == {"b": 2}
    assert options["headers"]["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    "failure", [429, 500, 502, 503, 504, ProtocolError("reset"), ReadTimeoutError(NOWHERE, "/", "slow")]
)
def test_what_may_pass_is_tried_again_and_counted(failure: int | Exception) -> None:
    answer = Response(failure, {}) if isinstance(failure, int) else failure
    asking, _unused, pauses = client(answer, answer, Response(200, {}))
    assert asking.request("GET", "/", about="X") == {}
    assert asking.requests == 3
    assert 0.1 <= pauses[0] <= 0.3
    assert 0.2 <= pauses[1] <= 0.6


@pytest.mark.parametrize(
    "content", [b"", b"<html>log in</html>", b'{"kind": "Sec', b"null", b"[]", b"7", b"[" * 100_000]
)
def test_an_answer_that_is_no_object_is_asked_for_again_and_then_named(content: bytes) -> None:
    garbled = Response(200)
    garbled.data = content
    asking, _unused, _unused = client(garbled, Response(200, {"a": 1}))
    assert asking.request("GET", "/x", about="X") == {"a": 1}
    asking, pool, _unused = client(*[garbled] * 5)
    with pytest.raises(
        MastodonError, match=r"cannot be understood: asked for X, it answers 200: its answer is not (JSON|an object)\."
    ):
        asking.request("GET", "/x", about="X")
    assert len(pool.asked) == 5


def test_retries_are_bounded() -> None:
    asking, _unused, pauses = client(*(Response(503, {}) for _unused in range(5)))
    with pytest.raises(MastodonError, match="overloaded"):
        asking.request("GET", "/", about="X")
    assert len(pauses) == 4


def test_the_server_says_how_long_to_wait() -> None:
    asking, _unused, pauses = client(
        Response(429, {}, Retry_After="3"), Response(429, {}, Retry_After="999"), Response(200, {})
    )
    asking.request("GET", "/", about="X")
    assert pauses == [3.0, 10.0]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "x"),
        (409, "x"),
        (422, "x"),
        (500, "failed calling webhook"),
        (500, "failed to create typed patch object"),
        (500, "failed to convert new object"),
    ],
)
def test_what_stays_wrong_is_not_tried_again(status: int, message: str) -> None:
    asking, _unused, pauses = client(Response(status, {"message": message}))
    with pytest.raises(MastodonError):
        asking.request("GET", "/", about="X")
    assert pauses == []


def test_wrong_credentials_are_the_server_s_word_not_the_object_s_fault() -> None:
    asking, *_unused = client(Response(401, {"message": "Unauthorized"}))
    with pytest.raises(MastodonError, match=f"API server {HOST}: refused the credentials \\(401\\)"):
        asking.request("GET", "/", about="X")


def raised_from(error: Exception, cause: OSError) -> Exception:
    """Return `error` as urllib3 raises it."""
    error.__cause__ = cause
    return error


UNREACHABLE: dict[str, tuple[Exception, int]] = {
    "cannot be reached: Connection refused": (
        raised_from(NewConnectionError(NOWHERE, "x"), ConnectionRefusedError(111, "Connection refused")),
        5,
    ),
    "cannot be reached: Name or service not known": (
        raised_from(NameResolutionError("h", NOWHERE, NOWHERE), OSError(-2, "Name or service not known")),
        1,
    ),
    "cannot be reached: timed out": (raised_from(ConnectTimeoutError(NOWHERE, "x"), TimeoutError("timed out")), 1),
    "TLS failed: certificate verify failed": (SSLError(ssl.SSLError(1, "certificate verify failed")), 1),
}


@pytest.mark.parametrize("reported", UNREACHABLE)
def test_a_server_that_cannot_be_reached_is_named_with_the_cause(reported: str) -> None:
    error, attempts = UNREACHABLE[reported]
    asking, *_unused = client(*[error] * attempts)
    with pytest.raises(MastodonError) as caught:
        asking.request("GET", "/", about="X")
    assert reported in str(caught.value)
    assert asking.requests == attempts


REFUSED = raised_from(NewConnectionError(NOWHERE, "x"), ConnectionRefusedError(111, "Connection refused"))
LOSSES: list[Response | Exception] = [
    REFUSED,
    ProtocolError("reset"),
    ReadTimeoutError(NOWHERE, "/", "slow"),
    raised_from(ConnectTimeoutError(NOWHERE, "x"), TimeoutError("timed out")),
    raised_from(NameResolutionError("h", NOWHERE, NOWHERE), OSError(-2, "Name or service not known")),
    SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
    Response(429, {"kind": "Status", "message": "the server has received too many requests"}),
    Response(503),
    Response(500, {"kind": "Status", "message": "etcdserver: leader changed"}),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_server_that_goes_away_is_waited_for_and_reported(loss: Response | Exception) -> None:
    task = Task(90)
    asking, pool = task.client(Response(200, {}), *[loss] * 14, Response(200, {"a": 1}))
    asking.request("GET", "/", about="X")
    assert asking.request("GET", "/", about="X") == {"a": 1}
    assert 25 < 90 - task.remaining < 90
    assert task.lines[0].startswith(("API server https://cluster:6443 ", "X "))
    assert task.lines[0].endswith("; asking again")
    assert bool(pool.cleared) == isinstance(loss, Exception)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_server_that_stays_away_is_given_up_at_the_deadline(loss: Response | Exception) -> None:
    task = Task(90)
    asking, _unused = task.client(Response(200, {}), *[loss] * 100)
    asking.request("GET", "/", about="X")
    with pytest.raises(MastodonError):
        asking.request("GET", "/", about="X")
    assert task.remaining == 0


@pytest.mark.parametrize(
    ("loss", "most"),
    [
        (REFUSED, 40),
        (ProtocolError("reset"), 10),
        (Response(503), 10),
        (ConnectTimeoutError(NOWHERE, "x"), 0),
        (SSLError(ssl.SSLCertVerificationError(1, "certificate verify failed")), 0),
    ],
)
def test_a_server_that_has_never_answered_is_given_up_soon(loss: Response | Exception, most: float) -> None:
    task = Task(600)
    asking, _unused = task.client(*[loss] * 100)
    with pytest.raises(MastodonError):
        asking.request("GET", "/", about="X")
    assert 600 - task.remaining <= most


@pytest.mark.parametrize(
    "refusal",
    [
        Response(503, {"kind": "Status", "message": "the server is currently unable to handle the request"}),
        Response(500, {"kind": "Status", "message": "an error on the server has prevented the request"}),
    ],
)
def test_what_the_server_itself_cannot_do_is_tried_a_few_times(refusal: Response) -> None:
    task = Task(600)
    asking, pool = task.client(Response(200, {}), *[refusal] * 100)
    asking.request("GET", "/", about="X")
    with pytest.raises(MastodonError):
        asking.request("GET", "/", about="X")
    assert len(pool.asked) == 6


@pytest.mark.parametrize(
    ("method", "remaining", "read"), [("GET", 600, 30), ("PATCH", 600, 60), ("PATCH", 20, 20), ("GET", 0, 5)]
)
def test_each_request_keeps_within_the_task_s_time(method: str, remaining: float, read: float) -> None:
    asking, pool = Task(remaining).client(Response(200, {}))
    asking.request(method, "/", about="X")
    timeout = pool.asked[0][2]["timeout"]
    assert (timeout.connect_timeout, timeout.read_timeout) == (min(10, read), read)


def test_after_the_deadline_nothing_is_asked_twice() -> None:
    asking, pool = Task(0).client(REFUSED, REFUSED)
    with pytest.raises(MastodonError, match="Connection refused"):
        asking.request("GET", "/", about="X")
    assert len(pool.asked) == 1


def test_a_watch_that_is_silent_ends_after_half_a_minute() -> None:
    asking, pool = Task(600).client(Response(200))
    asking.stream("/", about="X", query={}, seconds=240)
    assert pool.asked[0][2]["timeout"].read_timeout == 30


def test_a_watch_is_put_together_from_pieces_and_ends_when_it_breaks() -> None:
    response = Response(200, chunks=(b'{"a": 1}\n{"a"', b": 2}\n", b"RESET", b'{"a": 3}\n'))
    asking, *_unused = client(response)
    assert list(asking.stream("/", about="X", query={}, seconds=5)) == [{"a": 1}, {"a": 2}]
    assert response.closed


def test_a_watch_that_has_ended_can_still_be_stopped() -> None:
    asking, *_unused = client(Response(200))
    asking.stream("/", about="X", query={}, seconds=5).stop()


@pytest.mark.parametrize("answer", [Response(410, {"message": "too old"}), NewConnectionError(NOWHERE, "refused")])
def test_a_watch_that_does_not_start_is_an_error(answer: Response | Exception) -> None:
    asking, *_unused = client(answer)
    with pytest.raises(MastodonError):
        asking.stream("/", about="X", query={}, seconds=5)


def test_what_is_no_json_is_read_as_it_is() -> None:
    answer = Response(200)
    answer.data = b'{"level":"error"}\n{"level":"info"}\n\xff'
    asking, pool, _slept = client(answer)
    assert (
        asking.text("/log", about="Pod a/b", query={"tailLines": "2"}) == '{"level":"error"}\n{"level":"info"}\n\ufffd'
    )
    assert pool.asked[0][1] == f"{HOST}/log?tailLines=2"


@pytest.mark.parametrize(
    "answer", [Response(400, {"message": "is waiting to start"}), ProtocolError("Connection broken")]
)
def test_a_text_that_cannot_be_read_is_an_error(answer: Response | Exception) -> None:
    asking, _pool, _slept = client(answer)
    with pytest.raises(MastodonError):
        asking.text("/log", about="Pod a/b", query={})


def test_headers_that_come_several_times_are_sent_so() -> None:
    pool: Any = Pool(Response(200, {}))
    acting = HTTPHeaderDict([("Impersonate-Group", "a"), ("Impersonate-Group", "b")])
    Client(Connection("https://c", pool, lambda: acting)).request("GET", "/", about="x")
    sent = list(pool.asked[0][2]["headers"].items())
    assert [value for name, value in sent if name == "Impersonate-Group"] == ["a", "b"]


WARNED = '299 - "schedule means \\"hourly\\"", 299 api "unknown field x"'


def warned(method: str, *, times: int = 1, secret: bool = False) -> list[str]:
    lines: list[str] = []
    pool: Any = Pool(*(Response(200, {}, Warning=WARNED) for _unused in range(times)))
    asking = Client(Connection(HOST, pool, dict), say=lines.append)
    for _unused in range(times):
        asking.request(method, "/x", about="ScheduledBackup ns/b", secret=secret)
    return lines


def test_what_the_server_warns_of_is_reported_once() -> None:
    assert warned("PATCH", times=3) == [
        'warning: ScheduledBackup ns/b: schedule means "hourly"',
        "warning: ScheduledBackup ns/b: unknown field x",
    ]


def test_of_what_only_we_read_nobody_is_warned() -> None:
    assert warned("GET") == []


def test_a_warning_quotes_no_secret() -> None:
    lines = warned("PATCH", secret=True)
    assert lines
    assert not any("hourly" in line or "field" in line for line in lines)
