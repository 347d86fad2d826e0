# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._documents import parse


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("", []),
        ("---\n---\n# nothing\n---\na: 1\n---\n", [{"a": 1}]),
        ("a: 2026-01-01\nb: 2026-01-01T00:00:00Z", [{"a": "2026-01-01", "b": "2026-01-01T00:00:00Z"}]),
        ("a: yes\nb: 'yes'\nc: 1.5\nd: ~", [{"a": True, "b": "yes", "c": 1.5, "d": None}]),
        ("text", ["text"]),
    ],
)
def test_documents(text: str, documents: list[Any]) -> None:
    assert parse(text, "X") == documents


@pytest.mark.parametrize("text", ["a: 1\nb: [canary", "a: canary: b", "\x00canary", "!canary a", "a: &x 1\nb: *canary"])
def test_what_is_no_yaml_is_told_by_place_and_not_quoted(text: str) -> None:
    with pytest.raises(MastodonError, match="Template x: is not valid YAML") as caught:
        parse(text, "Template x")
    assert "canary" not in str(caught.value).replace("undefined alias 'canary'", "").replace("tag '!canary'", "")


def test_the_line_is_told() -> None:
    with pytest.raises(MastodonError, match=r"line 2, column"):
        parse("a: 1\nb: ]", "X")
