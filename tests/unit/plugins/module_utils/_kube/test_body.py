# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.body import encode

EVERY = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]


def test_every_character_is_the_same_to_a_reader_of_json_and_to_one_of_yaml() -> None:
    body = {"texts": ["".join(EVERY[start : start + 4096]) for start in range(0, len(EVERY), 4096)]}
    sent = encode(body, "X")
    assert json.loads(sent) == body
    assert yaml.load(sent.decode(), Loader=yaml.CSafeLoader) == body


@pytest.mark.parametrize("text", ["🐘", "日本", "é"])
def test_what_yaml_can_hold_goes_as_it_is(text: str) -> None:
    assert text.encode() in encode({text: text}, "X")


@pytest.mark.parametrize("value", ["\ud83d", float("inf"), float("nan"), b"canary", {"canary"}])
def test_what_json_cannot_say_is_one_sentence_that_does_not_quote(value: Any) -> None:
    with pytest.raises(MastodonError, match=r"^ConfigMap ns/x: cannot be sent: .* Correct that") as caught:
        encode({"a": value}, "ConfigMap ns/x")
    assert "canary" not in str(caught.value)
