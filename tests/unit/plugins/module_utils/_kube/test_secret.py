# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Secret of the cluster gives to those who use it."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import secret as secrets
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret


@pytest.mark.parametrize("value", ["canary\n", " canary", "can\nary", "canary\x00"])
def test_a_value_that_was_pasted_wrongly_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(MastodonError) as refused:
        Secret("mastodon/mastodon-s3", {"AWS_ACCESS_KEY_ID": value})["AWS_ACCESS_KEY_ID"]
    assert str(refused.value).startswith("Secret mastodon/mastodon-s3: its AWS_ACCESS_KEY_ID cannot be used: ")
    assert "can" not in str(refused.value).replace("cannot", "")


def test_a_right_value_is_given() -> None:
    assert Secret("a/b", {"password": "with a blank inside"})["password"] == "with a blank inside"


def test_what_is_no_text_is_read_beside_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"password": base64.b64encode(b"kept").decode(), "store.jks": base64.b64encode(b"\xfe\xed\xfe").decode()}
    monkeypatch.setattr(
        secrets,
        "open_objects",
        lambda *_unused: SimpleNamespace(read=lambda *_asked: Listing(({"data": data},), "1")),
    )
    connection: Any = None
    found = secrets.read_secret(connection, "a", "b")
    assert found is not None
    assert found["password"] == "kept"
    assert found.data["store.jks"] == r"\xfe\xed\xfe"
