# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task takes from the inventory how the cluster and Vault are reached, whoever imports its role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar, trust_as_template
from ansible_collections.fediverse.mastodon.plugins.module_utils import _run
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import KUBERNETES_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import VAULT_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils import _connections
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

from ...roles.conftest import ROOT

BOTH = Arguments({**KUBERNETES_OPTIONS, **VAULT_OPTIONS, "name": {"type": "str"}})
INVENTORY = {
    "kubeconfig": "/etc/{{ of }}",
    "of": "ours",
    "kubeconfig_context": "production",
    "kubernetes_host": "https://api.example.org:6443",
    "kubernetes_api_key": "canary",
    "kubernetes_ca_cert": "/etc/ca.pem",
    "kubernetes_verify_ssl": "no",
    "kubernetes_proxy": "http://proxy.example.org",
    "vault_address": "https://vault.example.org",
    "vault_token_file": "",
    "vault_ca_cert": "/etc/vault.pem",
    "vault_namespace": "team",
    "name": "of somebody else",
}


def show(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    return {"given": json.dumps({name: value for name, value in parameters.items() if value is not None})}


def given(variables: Mapping[str, Any], arguments: Arguments = BOTH, **options: Any) -> dict[str, Any]:
    loader = DataLoader()
    templated = {name: trust_as_template(value) for name, value in variables.items()}
    task = Task.load({"action": "ping"})
    task.args, task.check_mode, task.diff = options, False, False
    local = SimpleNamespace(transport="local", _shell=SimpleNamespace(tmpdir="/nonexistent"))
    play = SimpleNamespace(become=False, check_mode=False)
    action = EngineAction(task, local, play, loader, Templar(loader=loader, variables=templated), None)
    action.runs = _run.Task(arguments, show)
    result = action.run(task_vars=templated)
    assert "failed" not in result, result
    found: dict[str, Any] = json.loads(result["given"].replace("********", "hidden"))
    return found


def test_every_connection_comes_from_the_inventory_as_a_template() -> None:
    assert given(INVENTORY) == {
        "kubeconfig": "/etc/ours",
        "context": "production",
        "kubernetes_host": "https://api.example.org:6443",
        "kubernetes_api_key": "hidden",
        "kubernetes_ca_cert": "/etc/ca.pem",
        "kubernetes_validate_certs": False,
        "kubernetes_proxy": "http://proxy.example.org",
        "address": "https://vault.example.org",
        "ca_cert": "/etc/vault.pem",
        "vault_namespace": "team",
        "auth_method": "token",
        "timeout": 30,
    }


def test_what_the_task_says_itself_goes_before_it() -> None:
    found = given(INVENTORY, kubeconfig="/etc/mine", address="https://other.example.org")
    assert (found["kubeconfig"], found["address"]) == ("/etc/mine", "https://other.example.org")


def test_an_option_of_the_same_name_that_is_about_something_else_is_left_alone() -> None:
    assert given(INVENTORY, Arguments({"context": {"type": "str"}, "address": {"type": "str"}})) == {}


def test_the_doctor_knows_and_checks_every_one_of_them() -> None:
    right = {
        name: {"list": ["a"], "dict": {}, "int": 1, "bool": True}.get(spec["type"], "a")
        for name, spec in _connections.VARIABLES.items()
    }
    right["vault_auth_method"] = "approle"
    assert wrong({**right, "vault_address": "https://vault.example.org"}, _connections.VARIABLES) == {}
    for name, spec in _connections.VARIABLES.items():
        if spec["type"] != "raw":
            [said] = wrong({name: 1.5}, _connections.VARIABLES).values()
            assert said.startswith(f"Variable {name}: ")


def test_all_of_them_are_documented_where_people_look() -> None:
    text = (ROOT / "roles/common/README.md").read_text()
    assert [name for name in _connections.VARIABLES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("playbook", ["site", "doctor", "status"])
def test_the_playbooks_say_nothing_of_connections(playbook: str) -> None:
    text = (ROOT / f"playbooks/{playbook}.yml").read_text()
    assert [name for name in _connections.VARIABLES if name in text] == []
