# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import plain, together


def exact(value: Any) -> Any:
    """Return the types of a value, all the way down."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return type(value)


def test_values_from_a_playbook_become_plain_all_the_way_down() -> None:
    text = "{s: text, i: 1, f: 1.5, b: true, n: null, d: 2026-01-01, l: [a, {m: x}]}"
    found = plain(DataLoader().load(text))
    assert found == json.loads(json.dumps(found))
    assert found["d"] == "2026-01-01"
    assert exact(found) == {
        "s": str,
        "i": int,
        "f": float,
        "b": bool,
        "n": type(None),
        "d": str,
        "l": [str, {"m": str}],
    }
    assert {key.__class__ for key in found} == {str}
    assert found.__class__ is dict
    assert found["l"].__class__ is list


@pytest.mark.parametrize(("value", "expected"), [((1, 2), [1, 2]), (date(2026, 1, 2), "2026-01-02"), (True, True)])
def test_other_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ({"A": "1"}, {"B": "2"}, {"A": "1", "B": "2"}),
        ({"A": "1"}, {"A": "2"}, {"A": "2"}),
        (
            {"HTTPS_PROXY": "http://a", "no_proxy": "x"},
            {"https_proxy": "http://b"},
            {"https_proxy": "http://b", "no_proxy": "x"},
        ),
        ({"https_proxy": "http://a"}, {"HTTPS_PROXY": ""}, {"HTTPS_PROXY": ""}),
    ],
)
def test_the_environment_of_a_task_goes_before_that_of_the_process(
    outer: dict[str, str], inner: dict[str, str], expected: dict[str, str]
) -> None:
    assert together(outer, inner) == expected
