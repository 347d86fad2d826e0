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
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import check, names, of_plays

from ...roles.conftest import ROOT
from ...roles.conftest import SETTINGS as OF_A_SITE

KNOWN = names.load(ROOT / "roles", {*of_plays.SETTINGS, *of_plays.TYPED})
# The least that a user sets, of a domain that is not reserved.
SETTINGS = {**OF_A_SITE, "mastodon_local_domain": "social.test", "external_dns_zones": ["social.test"]}
SETTINGS.pop("inventory_hostname")
SOUND = {"mastodon_admin_username": ""}


def inventory(**settings: Any) -> check.Inventory:
    loader = DataLoader()
    variables: dict[str, Any] = {
        "ansible_play_hosts_all": ["here"],
        "inventory_hostname": "here",
        "hostvars": {},
        **settings,
    }
    action = ActionModule.__new__(ActionModule)
    action._loader, action._templar = loader, Templar(loader=loader, variables=variables)
    return action._inventory(variables)


def worked_out(name: str, template: str) -> Any:
    given = {"mastodon_local_domain": "social.example.org", name: trust_as_template(template)}
    return inventory(**given).read(name)


def refused(**settings: Any) -> list[str]:
    """Return what the doctor says of an inventory."""
    with pytest.raises(MastodonError) as caught:
        check.refuse_settings(inventory(**settings), KNOWN, of_plays.SETTINGS, ())
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("missing", "more"),
    [("mastodon_local_domain", {"cnpg_begin_anew": "social.test"}), *((name, {}) for name in SETTINGS)],
)
def test_whatever_setting_is_missing_all_other_faults_are_named(missing: str, more: dict[str, str]) -> None:
    left = {name: value for name, value in {**SETTINGS, **SOUND}.items() if name != missing}
    said = refused(**left, **more, mastodon_size="huge", cert_manager_isuer="acme")
    assert any("huge" in sentence for sentence in said)
    assert any("cert_manager_isuer" in sentence for sentence in said)
    if missing in KNOWN.required:
        assert f"Variable {missing}: missing. Set it in your inventory." in said


def test_what_follows_from_a_missing_setting_is_not_wrong_besides() -> None:
    address = trust_as_template("admin@{{ mastodon_local_domain }}")
    left = {name: value for name, value in {**SETTINGS, **SOUND}.items() if name != "mastodon_local_domain"}
    assert refused(**left, mastodon_smtp_from_address=address) == [
        "Variable mastodon_local_domain: missing. Set it in your inventory."
    ]


def test_a_template_that_fails_hides_no_other_fault() -> None:
    said = refused(**SETTINGS, **SOUND, mastodon_locale=trust_as_template("{{ nobody }}"), mastodon_size="huge")
    assert len(said) == 2
    assert said[0].startswith("Variable mastodon_locale: cannot be worked out: ")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("federation_acount", "federation_account"),
        ("federaton_internal", "federation_internal"),
        ("federation_via_shh", "federation_via_ssh"),
        ("restore_too", "restore_to"),
        ("rotate_acept", "rotate_accept"),
        ("media_smaple", "media_sample"),
        ("kubeconfig_contxt", "kubeconfig_context"),
    ],
)
def test_what_playbooks_read_is_known_and_misspelt_it_is_named(name: str, meant: str) -> None:
    assert names.misspelt([meant], KNOWN) == []
    assert names.misspelt([name], KNOWN) == [f"Variable {name}: not known to any role. Did you mean {meant}?"]


@pytest.mark.parametrize("name", ["federation_domain", "federation", "restore", "keeps", "files", "contexts", "attic"])
def test_variables_of_others_that_are_called_otherwise_are_left_alone(name: str) -> None:
    assert names.misspelt([name], KNOWN) == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("federation_reports", "report.html", "'report.html' is not a mapping. "),
        ("federation_reports", {"htm": "report.html"}, "htm is not known. Did you mean html?"),
        ("federation_internal", "perhaps", "'perhaps' is neither true nor false. "),
        ("federation_addresses", "192.0.2.1", "'192.0.2.1' is not a list. "),
        ("federation_via_pod", "mastodon-web", "'mastodon-web' is not a mapping. "),
    ],
)
def test_what_is_declared_for_other_servers_is_of_its_type(name: str, value: Any, why: str) -> None:
    [said] = refused(**SETTINGS, **SOUND, **{name: value})
    assert said.startswith(f"Variable {name}: {why}")


def test_a_role_alone_is_informed_of_the_missing_domain() -> None:
    left = {name: value for name, value in SETTINGS.items() if name != "mastodon_local_domain"}
    with pytest.raises(MastodonError, match="Variable mastodon_local_domain: missing"):
        inventory(**left).read("mastodon_local_domain")


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
