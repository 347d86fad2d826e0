# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a setting may mention: whatever its role defines, though no role sees the variables of another."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.fediverse.mastodon.plugins.action.doctor import ActionModule
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError


def worked_out(name: str, template: str) -> Any:
    loader = DataLoader()
    variables: dict[str, Any] = {
        "ansible_play_hosts_all": ["here"],
        "inventory_hostname": "here",
        "hostvars": {},
        "mastodon_local_domain": "social.example.org",
        name: trust_as_template(template),
    }
    action = ActionModule.__new__(ActionModule)
    action._loader, action._templar = loader, Templar(loader=loader, variables=variables)
    return action._inventory(variables).read(name)


@pytest.mark.parametrize(
    ("name", "mentioned"),
    [
        ("mastodon_values", "mastodon_image_tag"),
        ("rook_values", "rook_image"),
        ("cert_manager_values", "cert_manager_chart_version"),
        ("cnpg_values", "cnpg_cluster_name"),
    ],
)
def test_a_setting_may_mention_what_its_role_defines(name: str, mentioned: str) -> None:
    assert worked_out(name, "{{ {'image': " + mentioned + "} }}")["image"]


@pytest.mark.parametrize(
    ("name", "mentioned"),
    [
        ("gateway_media_hostname", "mastodon_image_tag"),
        ("mastodon_web_domain", "mastodon_image_tag"),
        ("rook_external_bucket", "gateway_https_port"),
        ("cert_manager_values", "rook_image"),
    ],
)
def test_a_setting_may_not_mention_what_only_some_who_read_it_see(name: str, mentioned: str) -> None:
    with pytest.raises(MastodonError, match=f"Variable {name}: cannot be worked out: .*{mentioned}"):
        worked_out(name, "{{ {'image': " + mentioned + "} }}")
