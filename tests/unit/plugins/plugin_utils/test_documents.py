# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
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


# As kubectl 1.37 reads them; tests/integration asks it.
SCALARS: dict[str, Any] = {
    "=": "=",
    "12:30": "12:30",
    "1:23:59": "1:23:59",
    "1e3": 1000,
    "1E+3": 1000,
    "1.e3": 1000,
    "-1e3": -1000,
    "1.0": 1,
    "-0.0": 0,
    ".5": 0.5,
    "5.": 5,
    "+.5": 0.5,
    "-017": -15,
    "0o17": 15,
    "0o8": "0o8",
    "089": 89,
    "0X1F": 31,
    "0b11": 3,
    "0b": "0b",
    "1_000": 1000,
    "1_000.5": 1000.5,
    "_1": "_1",
    ".000_7": 0.0007,
    "._7": "._7",
    "9007199254740993": 9007199254740993,
    "-9223372036854775808": -(2**63),
    "18446744073709551615": 1.8446744073709552e19,
    "1e400": "1e400",
    "1e-400": 0,
    "0x1p3": "0x1p3",
    "nan": "nan",
    ".": ".",
    "50%": "50%",
    "y": True,
    "On": True,
    "yEs": "yEs",
    "n": False,
    "~": None,
    "nULL": "nULL",
    "2001-12-14 21:59:43.10 -5": "2001-12-14 21:59:43.10 -5",
    "!!str 12": "12",
    "!!str null": "null",
    '!!int "12"': 12,
    "!!float 12": 12,
    '!!bool "true"': True,
    "!!binary aGVsbG8=": "hello",
    "!!timestamp 2026-01-01": "2026-01-01",
    "!!set {a, b}": {"a": None, "b": None},
    "!!omap [a: 1]": [{"a": 1}],
    "{<<: {a: 1}, b: 2}": {"a": 1, "b": 2},
    "{1: a, true: b, 1.5: c, 2026-01-01: d, 0x10: e, 1e3: f}": {
        "1": "a",
        "true": "b",
        "1.5": "c",
        "2026-01-01": "d",
        "16": "e",
        "1000": "f",
    },
}


@pytest.mark.parametrize("text", SCALARS)
def test_a_value_is_what_kubectl_takes_it_for(text: str) -> None:
    found = parse(f"a: {text}", "X")[0]["a"]
    assert found == SCALARS[text]
    assert type(found) is type(SCALARS[text])


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a: .inf", "line 1, column 4: JSON has no such number"),
        ("a:\n- -.NaN\n- .nan", "line 3, column 3: JSON has no such number"),
        ("a: !vault canary", "line 1, column 4: could not determine a constructor for the tag '!vault'"),
        ("a:\n- !=", "line 2, column 3: could not determine a constructor for the tag '!='"),
        ("a: !!int canary", "line 1, column 4: what is tagged as int is not valid"),
        ("{~: canary}", "line 1, column 2: a key is neither text nor number"),
        ("{[a]: canary}", "line 1, column 2: a key is neither text nor number"),
        ('a: "\\ud83d canary"', "line 1, column 4: a text has half of a surrogate pair"),
        ("a: 1\nb: canary\x7f", "line 2: it has a character that YAML takes only as an escape"),
    ],
)
def test_what_json_cannot_hold_is_an_error_with_its_line(text: str, reported: str) -> None:
    with pytest.raises(MastodonError, match="Template x: is not valid YAML") as caught:
        parse(text, "Template x")
    assert reported in str(caught.value)
    assert "canary" not in str(caught.value)


def test_what_to_json_writes_of_an_emoji_is_that_emoji() -> None:
    # Ansible's filter, and so every template that quotes with it.
    written = json.dumps("Mastodon 🐘\x7f\x85")
    assert parse(f"a: {written}\nb: |\n  {written}\nc: 12:30", "X") == [
        {"a": "Mastodon 🐘\x7f\x85", "b": f"{written}\n", "c": "12:30"}
    ]


@pytest.mark.parametrize("text", ["a: 1\nb: [canary", "a: canary: b", "\x00canary", "!canary a", "a: &x 1\nb: *canary"])
def test_what_is_no_yaml_is_reported_by_place_and_not_quoted(text: str) -> None:
    with pytest.raises(MastodonError, match="Template x: is not valid YAML") as caught:
        parse(text, "Template x")
    assert "canary" not in str(caught.value).replace("undefined alias 'canary'", "").replace("tag '!canary'", "")


def test_the_line_is_reported() -> None:
    with pytest.raises(MastodonError, match=r"line 2, column"):
        parse("a: 1\nb: ]", "X")
