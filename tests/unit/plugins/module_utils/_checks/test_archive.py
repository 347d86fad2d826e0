# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line an entry of the plugin: where it says that backups go."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import archive

ENTRY: dict[str, Any] = {"name": archive.PLUGIN, "parameters": {"barmanObjectName": "store", "serverName": "db-2"}}
OTHER = {"name": "other", "isWALArchiver": True, "parameters": {"barmanObjectName": "other"}}
WINDOWS = {"db": {"lastSuccessfulBackupTime": "of db"}, "db-2": {"lastSuccessfulBackupTime": "of db-2"}, "empty": None}


def found(*plugins: Any) -> archive.Archive | None:
    cluster = {"metadata": {"namespace": "mastodon", "name": "db"}, "spec": {"plugins": list(plugins)}}
    return archive.of_cluster(cluster, {"store": {"status": {"serverRecoveryWindow": WINDOWS}}})


@pytest.mark.parametrize("plugins", [[], [OTHER], ["odd"], [{**ENTRY, "enabled": False}]])
def test_a_cluster_without_an_enabled_plugin_has_none(plugins: list[Any]) -> None:
    assert found(*plugins) is None


@pytest.mark.parametrize(
    "entry", [ENTRY, {**ENTRY, "enabled": True}, {**ENTRY, "enabled": None}, {**ENTRY, "isWALArchiver": False}]
)
def test_an_enabled_plugin_writes_under_its_server_name(entry: dict[str, Any]) -> None:
    one = found(OTHER, entry)
    assert one is not None
    assert (one.entry, one.store_name, one.server) == (entry, "store", "db-2")
    assert one.window == WINDOWS["db-2"]


@pytest.mark.parametrize(
    ("parameters", "server", "window"),
    [
        ({}, "db", WINDOWS["db"]),
        ({"serverName": None}, "db", WINDOWS["db"]),
        # What is written counts.
        ({"serverName": ""}, "", {}),
        ({"serverName": "empty"}, "empty", {}),
        ({"serverName": "never"}, "never", {}),
    ],
)
def test_the_server_name_defaults_to_that_of_the_cluster(parameters: dict[str, Any], server: str, window: Any) -> None:
    one = found({**ENTRY, "parameters": {"barmanObjectName": "store", **parameters}})
    assert one is not None
    assert (one.server, one.window) == (server, window)


@pytest.mark.parametrize("parameters", [None, {}, {"barmanObjectName": "gone"}])
def test_a_store_that_is_not_there_has_no_window(parameters: Any) -> None:
    one = found({**ENTRY, "parameters": parameters})
    assert one is not None
    assert (one.store, one.window) == ({}, {})
