# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles ask for of what is turned off: to be removed, or to be left as it is and named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .conftest import APPLY, ROOT, Site

BACKUP = {"cnpg_backup": True, "cnpg_backup_endpoint": "https://s3.example.org", "cnpg_backup_bucket": "backups"}
VOLUMES = {
    "volsync_volumes": [{"name": "pages"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "volumes",
}
ROOK = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}}


def asked(role: str, file: str, name: str, **settings: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return what the set `name` declares, and the options of its task."""
    tasks = Site(omit="(omitted)", **settings).tasks(role, file).values()
    (found,) = [task for task in tasks if task.get(APPLY, {}).get("name") == name]
    assert found["when"] is True
    return found["applies"], found[APPLY]


@pytest.mark.parametrize(
    ("role", "file", "name", "on", "off"),
    [
        ("cert_manager", "operator.yml", "cert-manager", {}, {"cert_manager_install": False}),
        ("external_secrets", "operator.yml", "external-secrets", {}, {"external_secrets_install": False}),
        ("flux", "operator.yml", "flux", {}, {"flux_install": False}),
        ("gateway", "instance.yml", "example-org-tls", {}, {"gateway_install": False}),
        ("cnpg", "operator.yml", "cloudnative-pg", {}, {"cnpg_install": False}),
        ("cnpg", "operator.yml", "cloudnative-pg", {}, {"cnpg_backend": "external", "cnpg_external_host": "db"}),
        ("cnpg", "instance.yml", "plugin-barman-cloud", BACKUP, {"cnpg_backup": False}),
        ("dragonfly", "operator.yml", "dragonfly-operator", {}, {"dragonfly_install": False}),
        ("rook", "operator.yml", "rook-ceph", ROOK, {**ROOK, "rook_install": False}),
        ("rook", "operator.yml", "rook-ceph", ROOK, {"rook_backend": "external"}),
        ("rook", "instance.yml", "media", ROOK, {"rook_backend": "external"}),
        ("volsync", "operator.yml", "volsync", VOLUMES, {"volsync_volumes": []}),
    ],
)
def test_what_others_may_need_is_left_as_it_is_and_named(
    role: str, file: str, name: str, on: dict[str, Any], off: dict[str, Any]
) -> None:
    objects, options = asked(role, file, name, **on)
    assert objects
    assert options.get("prune", True) is True
    objects, options = asked(role, file, name, **off)
    assert objects == []
    # What holds data is kept in any case.
    assert options.get("prune", name == "media") is (name == "media")


def test_external_dns_goes_as_it_would_put_back_what_others_now_write() -> None:
    objects, options = asked("external_dns", "instance.yml", "external-dns-mastodon", external_dns_install=False)
    assert objects == []
    assert "prune" not in options
    named = [f"{kind} external-dns/external-dns-mastodon" for kind in ("HelmRelease", "HelmRepository")]
    assert options["prune_allow"] == named
    assert asked("external_dns", "instance.yml", "external-dns-mastodon")[1]["prune_allow"] == []


def test_a_set_in_a_namespace_that_mastodons_share_says_whose_it_is() -> None:
    for role, name in (("external_dns", "external-dns-mastodon"), ("volsync", "mastodon-volumes")):
        for settings in ({}, {"external_dns_install": False}, VOLUMES):
            assert asked(role, "instance.yml", name, **settings)[1]["owner"] == "example.org"


def test_volumes_that_are_no_longer_backed_up_are_looked_for() -> None:
    objects, options = asked("volsync", "instance.yml", "mastodon-volumes")
    assert objects == []
    assert "prune" not in options


@pytest.mark.parametrize(
    ("applied", "runs"),
    [
        ({}, False),
        ({"cnpg_applied": {"skipped": True}}, False),
        ({"cnpg_applied": {"objects": [{"action": "unchanged"}]}}, False),
        ({"cnpg_applied": {"objects": [{"action": "unchanged"}, {"action": "skipped"}]}}, True),
    ],
)
def test_a_pooler_goes_only_where_one_is_left(applied: dict[str, Any], runs: bool) -> None:
    [task] = list(Site(omit="(omitted)", **applied).tasks("cnpg", "leftovers.yml").values())
    assert task["when"] is runs


def test_a_pooler_goes_after_mastodon_stopped_using_it() -> None:
    assert asked("cnpg", "instance.yml", "mastodon-db", cnpg_pooler=False)[1]["prune"] is False
    (play,) = yaml.safe_load((ROOT / "playbooks/site.yml").read_text())
    imported = [task["ansible.builtin.import_role"] for task in play["tasks"]]
    steps = [(one["name"].rpartition(".")[2], one.get("tasks_from")) for one in imported]
    assert (
        steps.index(("cnpg", "leftovers")) > steps.index(("mastodon", "instance")) > steps.index(("cnpg", "instance"))
    )
