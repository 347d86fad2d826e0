# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every character there is goes to a real API server and comes back as it was."""

from __future__ import annotations

from typing import Any

from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

EVERY = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
# An object may have some 1 MiB, a character up to four bytes.
PART = 200_000
LINE = 1000


def config_maps(namespace: str) -> list[dict[str, Any]]:
    """Return ConfigMaps that hold every character once, in texts that begin and end with it and in longer ones."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"part-{start}", "namespace": namespace},
            "data": {
                f"from-{line}": "".join(EVERY[line : min(line + LINE, start + PART)])
                for line in range(start, min(start + PART, len(EVERY)), LINE)
            },
        }
        for start in range(0, len(EVERY), PART)
    ]


def test_every_character_is_stored_as_it_was_declared(cluster: Cluster) -> None:
    declared = config_maps(cluster.namespace)
    applied = cluster.apply(*declared)
    assert "msg" not in applied.result
    for one in declared:
        assert cluster.get(cluster.path("configmaps", one["metadata"]["name"]))["data"] == one["data"]
    assert cluster.apply(*declared).result["changed"] is False


def test_an_emoji_in_a_label_s_value_is_the_server_s_to_refuse_and_in_a_note_is_kept(cluster: Cluster) -> None:
    noted = config_maps(cluster.namespace)[0] | {"data": {}}
    noted["metadata"] = {"name": "noted", "namespace": cluster.namespace, "annotations": {"title": "Mastodon 🐘"}}
    assert "msg" not in cluster.apply(noted).result
    assert cluster.get(cluster.path("configmaps", "noted"))["metadata"]["annotations"] == {"title": "Mastodon 🐘"}
    noted["metadata"]["labels"] = {"title": "🐘"}
    assert "metadata.labels" in cluster.apply(noted).result["msg"]
