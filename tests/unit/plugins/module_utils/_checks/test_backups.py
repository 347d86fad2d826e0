# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from functools import partial

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.backups import survive
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, find

MEDIA = "https://s3.example.org"


def row(endpoint: str, media: str = MEDIA) -> Finding:
    wanted = {"what": "the database", "endpoint": endpoint, "media_endpoint": media, "setting": "cnpg_backup_endpoint"}
    return find(partial(survive, {**wanted, "served_hosts": ["example.org", "media.example.org"]}))


@pytest.mark.parametrize(
    "endpoint",
    ["http://rook-ceph-rgw-media.rook-ceph.svc", "https://minio.minio.svc.cluster.local:9000", "http://minio:9000"],
)
def test_backups_in_the_cluster_that_they_are_to_survive_are_a_warning(endpoint: str) -> None:
    found = row(endpoint)
    assert found.state == "warning"
    assert found.line().startswith("warning  Backups of the database: are in the cluster that they must survive: ")
    assert found.text.endswith("Set cnpg_backup_endpoint to a server elsewhere.")


def test_a_store_that_the_gateway_of_the_cluster_serves_is_in_the_cluster() -> None:
    found = row("https://media.example.org", media="")
    assert found.state == "warning"
    assert "who loses that loses both, and media.example.org is served by its Gateway." in found.text


@pytest.mark.parametrize("endpoint", [MEDIA, f"{MEDIA}/"])
def test_backups_beside_media_are_a_warning(endpoint: str) -> None:
    assert row(endpoint).state == "warning"
    assert "are on the server that holds media: s3.example.org has both" in row(endpoint).text


@pytest.mark.parametrize(
    "endpoint", ["https://backup.example.net", "https://s3.svc.example.org", "https://s3.example.org:9000"]
)
def test_backups_elsewhere_are_well(endpoint: str) -> None:
    assert row(endpoint).state == "ok"
    assert row(endpoint, media="").state == "ok"
