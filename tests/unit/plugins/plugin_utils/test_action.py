# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction, plain, together


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


def fail(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    raise parameters["error"]


class Failing(EngineAction):
    """An action whose engine raises."""

    runs = Task(Arguments({}), fail)
    error: Exception

    def prepare(self, parameters: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        return {"error": self.error}


def action(error: Exception) -> Failing:
    task = SimpleNamespace(
        async_val=0,
        check_mode=False,
        diff=False,
        environment=[],
        args={},
        action="fediverse.mastodon.apply",
        collections=[],
    )
    connection = SimpleNamespace(transport="local", has_pipelining=True, _shell=SimpleNamespace(tmpdir=None))
    made = Failing(task, connection, SimpleNamespace(become=False), None, None, None)
    made.error = error
    return made


def test_an_action_ends_in_a_sentence_whatever_its_engine_raises() -> None:
    result = action(KeyError("CANARY")).run(task_vars={})
    assert result["failed"] is True
    assert result["msg"].startswith(
        "Module fediverse.mastodon.apply: ended with an unexpected error: KeyError at _action.py, line "
    )
    assert "CANARY" not in json.dumps(result)


def test_what_an_engine_or_ansible_says_itself_is_reported_as_it_is() -> None:
    assert action(MastodonError("A", "failed")).run(task_vars={})["msg"] == "A: failed."
    with pytest.raises(AnsibleActionFail, match="as Ansible says it"):
        action(AnsibleActionFail("as Ansible says it")).run(task_vars={})
