# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How disks may be named for Ceph, and how not, since Rook would pass over them or take others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules import disks
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

from ....roles.conftest import Site

ROOT = Path(__file__).parents[5]
OPTIONS = load(ROOT / "roles").options
SAYS = "Variable rook_storage: "
MISTAKES = {
    file.stem: mistake
    for file in sorted((ROOT / "tests/wrong_config/mistakes").glob("*.yml"))
    if (mistake := yaml.safe_load(file.read_text()))["says"].startswith(SAYS)
}
SET = {"name": "set", "count": 3, "volumeClaimTemplates": [{"spec": {"volumeMode": "Block"}}]}
NODES = [{"name": name} for name in ("one", "two", "three")]


def said(**given: Any) -> list[str]:
    """Return all that is said of how disks are named."""
    settings = {"rook_backend": "rook", **given}
    bad = wrong(given, OPTIONS)
    return [*bad.values(), *disks.RULES.problems(Settings(Site(**settings).value, OPTIONS, given=given, wrong=bad))]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_alone(mistake: str) -> None:
    assert said(**MISTAKES[mistake]["settings"]) == [MISTAKES[mistake]["says"]]


@pytest.mark.parametrize(
    "storage",
    [
        {"useAllDevices": True},
        {"useAllNodes": True, "useAllDevices": True, "config": {"osdsPerDevice": "1"}},
        {"deviceFilter": "^sd[b-d]$"},
        {"deviceFilter": "nvme"},
        {"deviceFilter": r"^nvme\d+n1$", "useAllDevices": False},
        {"deviceFilter": "^sd[a-z]*$"},
        {"deviceFilter": "^(sdb|vdc.*)$"},
        {"deviceFilter": r"^sd\w?$"},
        {"deviceFilter": "^sd[b-z]{1,2}$"},
        {"deviceFilter": "^nvme[0-9]n1p?$"},
        {"deviceFilter": "^sdb?$"},
        {"deviceFilter": r"^sdb\z"},
        {"deviceFilter": "^(?i)sdb$"},
        {"deviceFilter": "^sd[[:alpha:]]$"},
        {"devicePathFilter": "^/dev/disk/by-path/pci-0000:00:1f.2-ata-[2-4]$"},
        {"devicePathFilter": "by-id/ata-ST4000.*"},
        {"devices": [{"name": "sdb"}, {"name": "/dev/sdc"}, {"name": "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4"}]},
        {"devices": [{"fullpath": "/dev/mapper/vg-osd", "config": {"deviceClass": "ssd"}}]},
        {"nodes": NODES, "useAllDevices": True},
        {"nodes": [*NODES, {"name": "four", "deviceFilter": "^nvme"}], "deviceFilter": "^sdb$"},
        {"nodes": [{**node, "devices": [{"name": "sdb"}]} for node in NODES], "useAllNodes": True},
        {"nodes": [*NODES, {"name": "four", "useAllDevices": False, "deviceFilter": "^sd"}], "useAllDevices": True},
        {"storageClassDeviceSets": [SET], "useAllDevices": False},
        {"storageClassDeviceSets": [{**SET, "count": 1}, {**SET, "name": "other", "count": 2}]},
        {"storageClassDeviceSets": [{**SET, "count": 1}], "nodes": [{"name": "one", "deviceFilter": "^sdb$"}]},
        {"storageClassDeviceSets": [SET], "deviceFilter": "^sdb$", "useAllNodes": True},
    ],
    ids=str,
)
def test_what_rook_understands_is_not_refused(storage: dict[str, Any]) -> None:
    assert said(rook_storage=storage) == []


@pytest.mark.parametrize(
    ("storage", "named"),
    [
        ({"deviceFilter": "^sdb$"}, True),
        ({"useAllDevices": True}, True),
        ({"storageClassDeviceSets": [SET]}, True),
        ({"nodes": [{"name": "one", "devices": [{"name": "sdb"}]}]}, True),
        ({"nodes": [{"name": "one"}, {"name": "two", "deviceFilter": "^sdb$"}]}, True),
        ({"nodes": [{"name": "one"}]}, False),
        ({"useAllNodes": True}, False),
        ({"useAllDevices": False, "deviceFilter": ""}, False),
        ({}, False),
    ],
)
def test_ceph_is_not_waited_for_on_no_disk(storage: dict[str, Any], named: bool) -> None:
    sentences = said(rook_profile="minimal", rook_storage=storage)
    assert any(sentence.startswith(f"{SAYS}missing: ") for sentence in sentences) is not named


@pytest.mark.parametrize(
    "settings",
    [
        {"rook_profile": "minimal", "rook_storage": {"nodes": [{"name": "one", "deviceFilter": "^sdb$"}]}},
        {"rook_profile": "minimal", "rook_storage": {"storageClassDeviceSets": [{**SET, "count": 1}]}},
        {"rook_install": False},
        {"rook_install": False, "rook_storage": {"deviceFilter": "sd*"}},
        {"rook_backend": "external", "rook_storage": {"deviceFilter": "sd*"}},
    ],
    ids=["one node", "one volume", "nothing to install", "passed over by another Rook", "passed over without Rook"],
)
def test_what_is_not_used_or_needed_is_not_refused(settings: dict[str, Any]) -> None:
    assert said(**settings) == []


@pytest.mark.parametrize(
    ("storage", "ways"),
    [
        ({"nodes": [*NODES, {"name": "four", "deviceFilter": "^nvme"}], "devices": [{"name": "sdb"}]}, 1),
        ({"nodes": [{**node, "deviceFilter": "^sdb$"} for node in NODES], "useAllDevices": True}, 3),
        ({"devices": [{"name": "sdb"}], "deviceFilter": "^sdb$", "devicePathFilter": "^/dev/sdb$"}, 1),
    ],
)
def test_every_node_that_two_ways_apply_to_is_named(storage: dict[str, Any], ways: int) -> None:
    found = said(rook_storage=storage)
    assert len(found) == ways
    assert all("disks are named by " in sentence for sentence in found)


@pytest.mark.parametrize(
    "text", ["sd?", "nvme*", "/dev/sdb", "disk/by-id/ata-1", "sdb sdc", "(?<=s)d", r"(sd)\1", "(sdb", "sdb)", "+sdb"]
)
def test_a_filter_by_name_that_misleads_is_refused(text: str) -> None:
    (sentence,) = said(rook_storage={"deviceFilter": text})
    assert sentence.startswith(f"{SAYS}deviceFilter {text} picks other disks than it seems to, or none: ")


@pytest.mark.parametrize("text", ["/dev/sd*", "^sdb", "^disk/by-id", "/dev/disk/by-id/ata-ST?"])
def test_a_filter_by_path_that_misleads_is_refused(text: str) -> None:
    (sentence,) = said(rook_storage={"devicePathFilter": text})
    assert sentence.startswith(f"{SAYS}devicePathFilter {text} picks other disks than it seems to, or none: ")


@pytest.mark.parametrize("device", [{"fullpath": "sdb"}, {"name": "./sdb"}, {"name": "/mnt/disk.img"}, {"name": "sd*"}])
def test_a_name_that_no_disk_has_is_refused(device: dict[str, str]) -> None:
    (sentence,) = said(rook_storage={"devices": [device]})
    assert sentence.startswith(f"{SAYS}{device.get('name') or device['fullpath']} among devices is ")
