# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import (
    Known,
    given,
    is_left_out,
    load,
    misspelt,
    misspelt_tags,
    options_of,
    unset,
)

ROOT = Path(__file__).parents[5]
ROLES = ROOT / "roles"
KNOWN = Known(
    prefixes=frozenset({"mastodon_", "cnpg_"}),
    names=frozenset({"mastodon_local_domain", "mastodon_name", "cnpg_cluster_instances", "kubeconfig"}),
    options={"mastodon_local_domain": {"type": "str", "required": True}, "mastodon_name": {"type": "str"}},
    defaults={"mastodon_name": "mastodon"},
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mastodon_lokal_domain", "mastodon_local_domain"),
        ("mastodon_localdomain", "mastodon_local_domain"),
        ("mastdon_local_domain", "mastodon_local_domain"),
        ("cnpg_instances", "cnpg_cluster_instances"),
        ("kubeconfg", "kubeconfig"),
    ],
)
def test_a_misspelt_variable_is_named_with_what_was_meant(name: str, meant: str) -> None:
    assert misspelt([name], KNOWN) == [f"Variable {name}: not known to any role. Did you mean {meant}?"]


def test_a_variable_under_our_prefix_that_is_like_nothing_is_refused_too() -> None:
    assert misspelt(["mastodon_zzzzzzzzzzzzzzzzzzzz"], KNOWN) == [
        "Variable mastodon_zzzzzzzzzzzzzzzzzzzz: not known to any role. Remove it, or rename it if it is your own."
    ]


@pytest.mark.parametrize("name", ["ansible_connection", "my_own_setting", "lab", "lab_state", "mastodon_name"])
def test_known_variables_and_the_users_own_are_left_alone(name: str) -> None:
    assert misspelt([name], KNOWN) == []


@pytest.mark.parametrize("values", [{}, {"mastodon_local_domain": ""}, {"mastodon_local_domain": None}])
def test_a_required_variable_that_is_undefined_or_empty_is_named(values: dict[str, object]) -> None:
    assert unset(values, KNOWN) == {
        "mastodon_local_domain": "Variable mastodon_local_domain: missing. Set it in your inventory."
    }


def test_a_required_variable_that_is_set_is_fine() -> None:
    assert unset({"mastodon_local_domain": "example.org"}, KNOWN) == {}


def test_what_is_as_the_roles_have_it_was_not_given() -> None:
    assert given({"mastodon_name": "mastodon", "other": 1}, KNOWN) == set()
    assert given({"mastodon_name": "social", "mastodon_local_domain": ""}, KNOWN) == {
        "mastodon_name",
        "mastodon_local_domain",
    }


def test_the_collections_own_roles_are_read() -> None:
    known = load(ROLES, extra=["kubeconfig"])
    assert {"mastodon_", "cnpg_", "vault_"} <= known.prefixes
    assert {"mastodon_local_domain", "cnpg_chart_version", "cnpg_pins", "kubeconfig"} <= known.names
    assert "mastodon_local_domain" in known.required


def test_what_a_role_registers_is_no_misspelt_setting_of_a_later_play() -> None:
    assert misspelt(["mastodon_launch"], load(ROLES)) == []


def test_every_default_is_documented_once_by_the_role_that_its_name_begins_with_and_every_option_has_one() -> None:
    """The argument specs are the contract: what is in the defaults stands in them and the other way round."""
    known = load(ROLES)
    assert set(known.options) - known.required == set(known.defaults)
    for role in sorted(ROLES.iterdir()):
        assert [name for name in options_of(role) if not name.startswith(f"{role.name}_")] == []
    for name, spec in known.options.items():
        if "default" in spec:
            assert spec["default"] == known.defaults[name], name


TAGS = ("mastodon", "vault", "cnpg")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ansible_run_tags": ["all"]}, []),
        ({"ansible_run_tags": ["mastodon", "vault"], "ansible_skip_tags": ["cnpg", "never"]}, []),
        ({"ansible_run_tags": ["mastdon"]}, ["Tag mastdon: no task has it. Did you mean mastodon?"]),
        ({"ansible_skip_tags": ["cpng"]}, ["Tag cpng: no task has it. Did you mean cnpg?"]),
        # Of a playbook that imports this one, and of Molecule.
        ({"ansible_run_tags": ["web"], "ansible_skip_tags": ["molecule-notest", "notest"]}, []),
        ({}, []),
    ],
)
def test_a_misspelt_tag_is_named(variables: dict[str, Any], said: list[str]) -> None:
    assert misspelt_tags(variables, TAGS) == said
    # In a playbook of yours the tags are yours.
    assert misspelt_tags(variables, ()) == []


def test_tags_of_which_there_is_none_leave_nothing_to_do() -> None:
    assert is_left_out({"ansible_run_tags": ["web"]}, TAGS)
    assert not is_left_out({"ansible_run_tags": ["web", "vault"]}, TAGS)
    assert not is_left_out({"ansible_run_tags": ["all"]}, TAGS)
    assert not is_left_out({"ansible_run_tags": ["web"]}, ())
    assert not is_left_out({}, TAGS)


def test_site_yml_names_all_of_its_tags() -> None:
    [play] = yaml.safe_load((ROOT / "playbooks/site.yml").read_text())
    [known] = [task["vars"]["doctor_playbook_tags"] for task in play["tasks"] if "doctor" in str(task.get("vars"))]
    assert known == sorted({tag for task in play["tasks"] for tag in task["tags"]} - {"always"})
