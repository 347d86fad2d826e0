# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sets of one name in a namespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import sets
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings
from ansible_collections.fediverse.mastodon.tests.unit.roles.conftest import Site

ROLES = Path(__file__).parents[5] / "roles"


def problems(**settings: Any) -> list[str]:
    return sets.RULES.problems(Settings(Site(**settings).value, {}))


@pytest.mark.parametrize(
    ("settings", "other"),
    [
        ({"cnpg_cluster_name": "mastodon"}, "mastodon_name"),
        ({"cnpg_cluster_name": "mastodon-routes"}, "mastodon_name"),
        ({"dragonfly_name": "mastodon"}, "mastodon_name"),
        ({"dragonfly_name": "mastodon-db"}, "cnpg_cluster_name"),
        ({"rook_claim_name": "mastodon-redis"}, "dragonfly_name"),
        ({"rook_store_name": "rook-ceph"}, "an operator"),
        ({"external_dns_name": "mastodon", "external_dns_namespace": "mastodon"}, "mastodon_name"),
        (
            {
                "external_secrets_store": "x",
                "cnpg_cluster_name": "cert-manager",
                "cnpg_cluster_namespace": "cert-manager",
            },
            "an operator",
        ),
    ],
)
def test_a_name_is_one_sets_in_its_namespace(settings: dict[str, Any], other: str) -> None:
    [said] = problems(**settings)
    assert f"is the name of what is made for {other}, too: " in said


def test_the_same_name_in_another_namespace_is_another_sets() -> None:
    assert problems(cnpg_cluster_name="mastodon", cnpg_cluster_namespace="databases") == []
    assert problems() == []


def test_all_sets_of_roles_are_looked_at() -> None:
    """Each name that a role gives to `apply` is one of these."""
    text = "".join(file.read_text(encoding="utf-8") for file in ROLES.glob("*/tasks/*.yml"))
    applied = re.findall(r"fediverse[.]mastodon[.]apply:.*\n +name: (.+)\n +namespace: (.+)\n", text)
    known = {(name, f"{{{{ {namespace} }}}}") for name, namespace in sets._OPERATORS}
    known |= {
        (written, f"{{{{ {namespace} }}}}")
        for setting, form, namespace in sets._NAMED
        for written in (form.format(f"{{{{ {setting} }}}}"), f'"{form.format(f"{{{{ {setting} }}}}")}"')
    }
    assert len(applied) > 20
    assert {(name.strip('"'), namespace.strip('"')) for name, namespace in applied} <= known


def test_what_is_called_after_a_mastodon_says_whose_it_is() -> None:
    """Another one may call its own the same. Jobs of each restore are listed by none of the next, so theirs cannot be compared."""
    text = "".join(file.read_text(encoding="utf-8") for file in ROLES.glob("*/tasks/*.yml"))
    after = r'name: "{{ (?:mastodon_name|cnpg_cluster_name|dragonfly_name|rook_claim_name|external_dns_name) }}(?!-feeds)[-a-z]*"'
    begun = re.findall(rf"fediverse[.]mastodon[.]apply:.*\n +{after}\n((?: .*\n)*)", text)
    assert len(begun) == 9
    assert [rest for rest in begun if '    owner: "{{ mastodon_local_domain }}"\n' not in rest] == []
