# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that Ceph may take, named so that Rook finds them and takes no others.

What Rook does not understand it passes over, and says so in a log. How it reads them:
https://github.com/rook/rook/blob/v1.20.6/pkg/daemon/ceph/osd/daemon.go (getAvailableDevices)
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings, missing

RULES = Rules()

Part = Mapping[str, Any]

# Of these Rook goes by the first: https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/cluster/osd/provision_spec.go
_WAYS = ("devices", "deviceFilter", "devicePathFilter", "useAllDevices")
_SETS = "storageClassDeviceSets"
# Copies of what is stored with rook_profile ha, each on a node of its own.
_COPIES = 3
_PATTERN = re.compile(r"[*?\[\]^$|()]")
# As a shell looks for names of files: nothing in it but letters and stars says that it is a regular expression.
_GLOB = re.compile(r"[\w/-]*?([\w/-])([*?])[\w/*?-]*")
# What is wrong in Go's regular expressions, too; they have some that Python's have not: https://github.com/google/re2/wiki/Syntax
_WRONG_IN_GO = ("missing )", "unterminated character set", "unbalanced parenthesis", "nothing to repeat")
_NOT_IN_GO = re.compile(r"\(\?<?[=!]|\\[1-9]")
_BEGINS_ELSEWHERE = re.compile(r"\^[A-Za-z0-9]")


@RULES.rule
def disks(settings: Settings) -> Iterator[str]:
    """Without a disk Ceph would be waited for in vain."""
    storage = _storage(settings)
    if storage is not None and not any(
        part.get(key) for part in (storage, *_nodes(storage)) for key in (*_WAYS, _SETS)
    ):
        yield missing(
            "rook_storage",
            "Ceph takes only the disks that you name",
            "rook_backend to external, or rook_install to false to use your own Rook",
        )


@RULES.rule
def ways_to_disks(settings: Settings) -> Iterator[str]:
    """Rook would take others than were named, or none, where disks are named in two ways."""
    for place, part in _chosen(_storage(settings) or {}):
        ways = [way for way in _WAYS if part.get(way)]
        if len(ways) > 1:
            why = "Rook goes by the first alone"
            yield _refusal(f"{place}disks are named by {' and by '.join(ways)}", why, "Keep one of them.")
        if place and not ways:
            yield _refusal(f"{place}no disk is named", "Rook would take none", "Name some, or take the node out.")


@RULES.rule
def disks_of_no_node(settings: Settings) -> Iterator[str]:
    """Disks of nodes are taken only where nodes are."""
    storage = _storage(settings) or {}
    ways = [way for way in _WAYS if storage.get(way)]
    if not ways or _nodes(storage) or storage.get("useAllNodes"):
        return
    remedy = "Name nodes, or set useAllNodes to true."
    if storage.get("useAllNodes") is False:
        yield _refusal("useAllNodes is false and no node is named", "Rook would take no node's disks", remedy)
    elif storage.get(_SETS):
        yield _refusal(f"{ways[0]} is of nodes, and beside {_SETS} none is named", "Rook would pass over it", remedy)


@RULES.rule
def names_of_disks(settings: Settings) -> Iterator[str]:
    """A disk that is called otherwise than Rook calls it is passed over."""
    for place, part in _said(_storage(settings) or {}):
        for device in part.get("devices") or ():
            if problem := _misnamed(device):
                what, remedy = problem
                yield _refusal(f"{place}{what}", "", remedy)


def _misnamed(device: Part) -> tuple[str, str] | None:
    name = str(device.get("fullpath") or device.get("name") or "")
    example = "Write it like sdb, or like /dev/disk/by-id/ata-ST4000DM004."
    if not name:
        return "one of devices has no name", example
    if _PATTERN.search(name):
        return f"{name} among devices is a pattern, and no disk is called so", "Write it as deviceFilter."
    if ("/" in name or device.get("fullpath")) and not name.startswith("/dev/"):
        return f"{name} among devices is not below /dev, and Ceph takes disks, no folders and files", example
    return None


@RULES.rule
def filters_of_disks(settings: Settings) -> Iterator[str]:
    """A filter that does not mean what it seems to picks other disks, or none."""
    for place, part in _said(_storage(settings) or {}):
        for key in ("deviceFilter", "devicePathFilter"):
            if (text := part.get(key)) and (problem := _misread(key, str(text))):
                why, remedy = problem
                yield _refusal(f"{place}{key} {text} picks other disks than it seems to, or none", why, remedy)


def _misread(key: str, text: str) -> tuple[str, str] | None:
    """Return why a filter does not mean what it seems to, and what to write."""
    if _NOT_IN_GO.search(text):
        return "Go's regular expressions can't look ahead or back", "Name the disks that may be taken."
    if why := _no_expression(text):
        return f"it is no regular expression ({why})", "Write it like ^sd[bc]$."
    if found := _GLOB.fullmatch(text):
        many = "any number of" if found[2] == "*" else "at most one"
        why = f"in a regular expression {found[1]}{found[2]} is {many} {found[1]}"
        return why, "Write [a-z] for one letter, and .* for any text."
    if key == "devicePathFilter":
        return ("paths begin with /dev/", "Write it like ^/dev/sd[bc]$.") if _BEGINS_ELSEWHERE.match(text) else None
    if "/" in text:
        return "it is compared with names such as sdb", "Write it as devicePathFilter."
    if re.search(r"[\s,](?![^{]*\})", text):
        return "a list is none in a regular expression", "Write it like ^(sdb|sdc)$."
    return None


def _no_expression(text: str) -> str:
    """Return what is wrong with it as a regular expression, if anything is for certain."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(text)
    except re.error as error:
        return error.msg if error.msg.startswith(_WRONG_IN_GO) else ""
    return ""


@RULES.rule
def settings_of_disks(settings: Settings) -> Iterator[str]:
    """Rook's own settings of disks are texts."""
    for place, part in _said(_storage(settings) or {}):
        for key, value in _configured(part):
            if not isinstance(value, str):
                shown = str(value).lower() if isinstance(value, bool) else value
                yield _refusal(f"{place}config has {key} {shown}", "Rook takes texts alone", "Write it in quotes.")


def _configured(part: Part) -> Iterator[tuple[str, Any]]:
    for one in (part, *(part.get("devices") or ())):
        yield from (one.get("config") or {}).items()


@RULES.rule
def volumes_for_disks(settings: Settings) -> Iterator[str]:
    """A disk has no file system."""
    for one in (_storage(settings) or {}).get(_SETS) or ():
        modes = [(template.get("spec") or {}).get("volumeMode") for template in one["volumeClaimTemplates"]]
        if any(mode != "Block" for mode in modes):
            why = "Kubernetes makes a file system otherwise, which Ceph can't use as a disk"
            remedy = "Set volumeMode to Block in the spec of its volumeClaimTemplates."
            yield _refusal(f"{_SETS} {one['name']} asks for no block devices", why, remedy)


@RULES.rule
def disks_for_copies(settings: Settings) -> Iterator[str]:
    """Copies that have no place leave a store that never comes up."""
    storage = _storage(settings) or {}
    named, sets = len({str(node["name"]) for node in _nodes(storage)}), storage.get(_SETS) or ()
    count = sum(one["count"] for one in sets) if sets and not named else named
    if settings["rook_profile"] == "ha" and 0 < count < _COPIES and not (named and sets):
        what = f"it names {count} {'volumes' if sets else 'nodes'}"
        why = f"rook_profile ha keeps {_COPIES} copies, each on a node of its own"
        yield _refusal(what, why, f"Name {_COPIES} or more, or set rook_profile to minimal.")


def _storage(settings: Settings) -> Part | None:
    """Return what Ceph may take; None where it is not created."""
    if settings["rook_backend"] != "rook" or not settings["rook_install"]:
        return None
    storage: Part = settings["rook_storage"] or {}
    return storage


def _nodes(storage: Part) -> list[Part]:
    return [*(storage.get("nodes") or ())]


def _said(storage: Part) -> Iterator[tuple[str, Part]]:
    """Yield what is said of all nodes, of each node, and of each set of volumes, with where."""
    yield "", storage
    yield from ((f"for node {node['name']} ", node) for node in _nodes(storage))
    yield from ((f"for {_SETS} {one['name']} ", one) for one in storage.get(_SETS) or ())


def _chosen(storage: Part) -> Iterator[tuple[str, Part]]:
    """Yield what disks are chosen by where, as Rook works it out."""
    if not _nodes(storage):
        yield "", storage
    for node in _nodes(storage):
        yield f"for node {node['name']} ", {way: _own_or(storage, node, way) for way in _WAYS}


def _own_or(storage: Part, node: Part, way: str) -> Any:
    own = node.get(way)
    return own if own or own is False else storage.get(way)


def _refusal(what: str, why: str, remedy: str) -> str:
    return str(MastodonError("Variable rook_storage", what, why, remedy))
