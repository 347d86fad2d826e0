# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a backup of Vault ended is kept in the cluster, whichever way it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import vault_export
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import export
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.export import Export
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.kv import Stored
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi
from pyrage import x25519

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mastodon"}}
FOUND = Export("2026-11-29T03:00:00Z", "secret", {"a/app": Stored(3, {"key": "s3cret"}, written="T3")}, ("a/smtp",))


class Place:
    """A cluster, a Vault with one secret, and a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *objects: dict[str, Any]) -> None:
        self.api, self.folder, self.said = FakeApi(NAMESPACE, *objects), folder, list[str]()
        monkeypatch.setattr(vault_export, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(vault_export, "open_objects", lambda connection: self.api)
        monkeypatch.setattr(vault_export.client, "connect", lambda parameters, environment: None)
        monkeypatch.setattr(export, "read", lambda *given: self.read())

    def read(self) -> Export:
        return FOUND

    def run(self, *, check: bool = False, namespace: str = "mastodon") -> dict[str, Any]:
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        recipients = [str(x25519.Identity.generate().to_public())]
        options = {"name": "example.org", "mount": "secret", "paths": ["a/"], "recipients": recipients}
        return vault_export.run_task({**options, "folder": str(self.folder), "namespace": namespace}, run)

    @property
    def kept(self) -> vault_backup.VaultBackup | None:
        return vault_backup.read(self.api, "mastodon", "example.org")


def test_it_is_kept_without_anything_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = Place(monkeypatch, tmp_path)
    result = place.run()
    assert place.kept
    assert (place.kept.paths, place.kept.file, place.kept.recipients) == ({"a/app": "T3"}, result["file"], "1")
    assert place.said[0].startswith("wrote Vault's secret/a/app: 1 paths for 1 recipients in ")
    assert place.said[1:] == ["left out secret/a/smtp, which was deleted"]
    assert "s3cret" not in str(place.api.objects)


def test_a_failure_is_kept_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = Place(monkeypatch, tmp_path)

    def sealed() -> Export:
        raise MastodonError("Vault http://bao", "is sealed")

    monkeypatch.setattr(place, "read", sealed)
    with pytest.raises(MastodonError, match="is sealed"):
        place.run()
    assert place.kept
    assert place.kept.failure == "Vault http://bao: is sealed."


def test_in_check_mode_nothing_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = Place(monkeypatch, tmp_path)
    place.run(check=True)
    assert (place.kept, [*tmp_path.iterdir()]) == (None, [])
    assert place.said[0].startswith("would write Vault's secret/a/app")


def test_without_a_namespace_no_cluster_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = Place(monkeypatch, tmp_path)
    place.run(namespace="")
    assert (place.kept, len([*tmp_path.iterdir()])) == (None, 1)


def test_what_has_the_name_of_the_record_and_is_somebodys_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    metadata = {"name": "vault-backup-example.org", "namespace": "mastodon"}
    place = Place(monkeypatch, tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    with pytest.raises(MastodonError, match="is in the way"):
        place.run()
    assert [*tmp_path.iterdir()] == []
