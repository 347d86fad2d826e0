# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from http.client import IncompleteRead
from typing import Any

import pytest
import requests
from ansible.module_utils.testing import patch_module_args
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import find
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import (
    MastodonError,
    innermost,
    unforeseen,
    way_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            ("Cluster ns/db", "is invalid", "spec.a: bad", "Correct it."),
            "Cluster ns/db: is invalid: spec.a: bad. Correct it.",
        ),
        (("Cluster ns/db", "is invalid"), "Cluster ns/db: is invalid."),
        (("A", "failed", "because.", "Do."), "A: failed: because. Do."),
        (("A", "failed", "two\n  lines "), "A: failed: two lines."),
    ],
)
def test_an_error_is_one_sentence(parts: tuple[str, ...], sentence: str) -> None:
    assert str(MastodonError(*parts)) == sentence


@pytest.mark.parametrize(
    "reported",
    [
        "Cannot connect to proxy http://me:canary@proxy.example.org:3128",
        "Failed to parse: http://me:can@canary@proxy.example.org:port",
        "Failed to parse: http://:canary@proxy.example.org:port",
        "nonnumeric port: 'canary@proxy.example.org:3128'",
        "Port could not be cast to integer value as 'canary'",
    ],
)
def test_the_login_of_a_proxy_is_shown_nowhere(reported: str) -> None:
    for parts in (
        ("A", "failed", reported),
        (f"A {reported}", "failed"),
        ("A", reported),
        ("A", "failed", "", reported),
    ):
        assert "canary" not in str(MastodonError(*parts))
    assert "https://example.org/@alice" in str(MastodonError("A", "failed", "https://example.org/@alice"))


def test_pages_of_reason_are_cut() -> None:
    assert len(str(MastodonError("A", "failed", "x" * 5000))) < 700


def stumble() -> str:
    return str({"password": "CANARY"}["CANARY"])


def test_what_nobody_thought_of_is_one_sentence_without_a_value() -> None:
    with pytest.raises(KeyError) as raised:
        stumble()
    reported = str(unforeseen("Module apply", raised.value))
    assert re.fullmatch(
        r"Module apply: ended with an unexpected error: KeyError at test_errors\.py, line \d+, in stumble\. This is .*",
        reported,
    )
    assert "in stumble" in way_of(raised.value)
    assert "CANARY')" not in reported + way_of(raised.value)
    assert "unexpected error: KeyError. This" in str(unforeseen("Module apply", KeyError("CANARY")))


def test_a_check_that_nobody_thought_of_failing_is_failed_and_named() -> None:
    found = find(stumble)
    assert found.state == "failed"
    assert found.text.startswith("Check stumble: ended with an unexpected error: KeyError at")


def test_a_module_ends_in_a_sentence_whatever_its_engine_raises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def engine(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
        run.say("created it")
        return {"changed": stumble()}

    with patch_module_args({}), pytest.raises(SystemExit):
        main(Task(Arguments({}), engine))
    reported = json.loads(capsys.readouterr().out)
    assert reported["failed"] is True
    assert "KeyError at _module.py, line" in reported["msg"]
    assert reported["messages"] == ["created it"]
    assert "CANARY')" not in json.dumps(reported)


def test_a_name_that_is_not_found_is_reported_without_what_urllib3_puts_around_it() -> None:
    connection = HTTPSConnection("vault.example.org")
    error = NameResolutionError("vault.example.org", connection, socket.gaierror(-2, "Name or service not known"))
    assert innermost(MaxRetryError(HTTPSConnectionPool("vault.example.org"), "/", error)) == "Name or service not known"


def test_an_error_that_cannot_even_say_what_it_is_is_called_by_its_kind() -> None:
    """As that of http.client on Python 3.13, for a chunk whose length has thousands of digits."""
    assert innermost(ProtocolError("Connection broken", IncompleteRead(b"", 10**5000))) == "IncompleteRead"


def test_a_header_that_could_not_be_sent_is_not_shown() -> None:
    with pytest.raises(requests.exceptions.InvalidHeader) as caught:
        requests.get("http://127.0.0.1:1/", headers={"Authorization": "Bearer canary\n"}, timeout=1)
    assert innermost(caught.value).endswith("in header value …")
