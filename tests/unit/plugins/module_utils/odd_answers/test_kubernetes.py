# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is where the API server should be: one sentence, in time, and never taken for a cluster that holds nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import cluster
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward, retries
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, Selection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import must_have_secret, read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect

from .servers import Answer, answers, drip, http, one_sentence, replaced, server, talk_http

CONFIG = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
BODY: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "namespace": "ns", "uid": "u"},
}
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "kinds": lambda to: Objects(Client(to)).discover(),
    "a list": lambda to: Objects(Client(to)).read(Selection(CONFIG, "ns")),
    "names": lambda to: Objects(Client(to)).names(Selection(CONFIG, "ns")),
    "an apply": lambda to: Objects(Client(to)).apply(CONFIG, BODY, manager="m", force=False, dry_run=True),
    "a delete": lambda to: Objects(Client(to)).delete(CONFIG, BODY, dry_run=True),
    "a note": lambda to: Objects(Client(to)).annotate(CONFIG, "ns", "a", {"b": "c"}, "m"),
    "its version": lambda to: cluster.version(Client(to), to.host),
    "rights": lambda to: cluster.rights(Client(to), [{"resources": ["pods"], "verbs": ["get"], "namespace": ""}]),
    "a Secret": lambda to: must_have_secret(to, "ns", "a"),
    "a way in": lambda to: forward.dial(to, forward.Service("ns", "a", 80)),
    "a command": lambda to: pods.run(to, "ns", "a", "web", ["true"], seconds=5),
}
NAMES = sorted(QUESTIONS)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_FIRST_PAUSE", 0)
    monkeypatch.setattr(retries, "_LONGEST_ASKED_FOR", 0)


def to(port: int) -> Connection:
    return connect({"kubernetes_host": f"http://127.0.0.1:{port}"}, {})


@pytest.mark.parametrize(("number", "answer"), [*enumerate(answers("kubernetes"))], ids=str)
def test_no_answer_ends_in_more_than_a_sentence(number: int, answer: Answer) -> None:
    with server(talk_http(lambda _unused: answer.content)) as port:
        connection = to(port)
        one_sentence(lambda: QUESTIONS[NAMES[number % len(NAMES)]](connection), 5)


ODD: list[Any] = [None, "text", 7, 1.5, True, [], {}, [None], ["text"], [[]], {"key": None}, [{}]]
METADATA = {
    "name": "a",
    "namespace": "ns",
    "uid": "u",
    "resourceVersion": "1",
    "generation": 1,
    "labels": {"kubernetes.io/service-name": "a"},
    "annotations": {"a": "b"},
    "finalizers": ["a/b"],
    "ownerReferences": [{"kind": "Pod", "name": "b", "uid": "c", "apiVersion": "v1"}],
    "managedFields": [{"manager": "m", "operation": "Apply", "fieldsV1": {}}],
}


def listed(**content: Any) -> dict[str, Any]:
    return {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": [{"metadata": METADATA, **content}]}


RESOURCE = {
    "resource": "pods",
    "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
    "scope": "Namespaced",
    "singularResource": "pod",
    "shortNames": ["po"],
    "subresources": [{"subresource": "status"}],
}
GOOD: dict[str, dict[str, Any]] = {
    "kinds": {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": "g"}, "versions": [{"version": "v1", "resources": [RESOURCE]}]}],
    },
    "a list": listed(data={"a": "b"}),
    "names": listed(),
    "an apply": {**BODY, "metadata": METADATA},
    "its version": {"major": "1", "minor": "36+", "gitVersion": "v1.36.0"},
    "rights": {"status": {"allowed": True}},
    "a Secret": listed(data={"password": "YQ=="}),
    "a way in": listed(
        spec={"ports": [{"name": "web", "port": 80}]},
        ports=[{"name": "web", "port": 8080}],
        endpoints=[{"targetRef": {"kind": "Node", "name": "a-0"}, "conditions": {"ready": True}}],
    ),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_no_part_of_an_answer_is_taken_for_what_it_is_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    reported: dict[str, Any] = {}
    connection = to(1)

    def request(*_unused: Any, **_options: Any) -> Any:
        return type("Response", (), {"status": 200, "headers": {}, "data": json.dumps(reported["answer"]).encode()})

    monkeypatch.setattr(connection.pool, "request", request)
    reported["answer"] = GOOD[name]
    if name != "a way in":
        QUESTIONS[name](connection)
    for odd in replaced(GOOD[name], ODD):
        reported["answer"] = odd
        # What is not looked at may be anything.
        with suppress(MastodonError):
            QUESTIONS[name](connection)


@pytest.mark.parametrize("content", ["null", "[]", "{}", '"items"', '{"items": 7}', '{"kind": "List", "metadata": {}}'])
def test_what_is_no_list_is_not_taken_for_an_empty_one(content: str) -> None:
    with server(talk_http(lambda _unused: http(200, content.encode()))) as port:
        for ask in (QUESTIONS["a list"], QUESTIONS["names"], lambda to: read_secret(to, "ns", "a")):
            reported = one_sentence(lambda ask=ask: ask(to(port)), 5)
            assert ": cannot be understood: asked for " in str(reported)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_a_byte_now_and_then_is_not_waited_for_beyond_the_deadline(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(
        "ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client._AT_LEAST_SECONDS", 0.1
    )

    def talk(link: socket.socket) -> None:
        link.recv(1000)
        link.sendall(begin)
        drip(link, b"HTTP/1.1 200 OK\r\nX: x")

    with server(talk) as port:
        objects = Objects(Client(to(port), limit=Deadline(0.5)))
        reported = one_sentence(lambda: objects.read(Selection(CONFIG, "ns")), 2)
        assert "cannot be reached: no whole answer came within " in str(reported)
        one_sentence(lambda: pods.run(to(port), "ns", "a", "web", ["true"], seconds=1), 3)


@pytest.mark.parametrize(
    "reported", ["yesterday", "Wed, 99 Xxx 2026 25:00:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000", "9" * 500]
)
def test_a_date_that_is_none_is_not_reported(reported: str) -> None:
    body = json.dumps(listed()).encode()
    with server(talk_http(lambda _unused: http(200, body, f"Date: {reported}"))) as port:
        objects = Objects(Client(to(port)))
        assert objects.read(Selection(CONFIG, "ns")).objects
        assert objects.began.tzinfo is not None
