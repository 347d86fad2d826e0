# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real server has is backed up to a file for its recipients alone, and restored into an empty one without overwriting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyrage
import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import vault_export, vault_import
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import Bao
from pyrage import x25519

FOLDER = "mastodon/example.org"
KEPT = {
    f"{FOLDER}/app": {"secret-key-base": "s3cret", "are-primary-key": "s3cret too"},
    f"{FOLDER}/smtp": {"username": "me", "password": "s3cret, too"},
    f"{FOLDER}/of/a/folder": {"key": "s3cret as well"},
    "elsewhere/dns": {"tsig-secret": "s3cret of DNS"},
}
NAMES = {"name": "example.org", "paths": [f"{FOLDER}/", "elsewhere/dns", "elsewhere/missing"]}


@pytest.fixture
def key(tmp_path: Path) -> x25519.Identity:
    """A key pair, in the file that age-keygen would have written."""
    made = x25519.Identity.generate()
    (tmp_path / "key").write_text(f"# created: today\n# public key: {made.to_public()}\n{made}\n")
    return made


@pytest.fixture
def file(bao: Bao, tmp_path: Path, key: x25519.Identity) -> Path:
    """A backup of a server that is empty again."""
    for path, data in KEPT.items():
        put(bao, path, data)
    written = Path(export(bao, tmp_path, key)["file"])
    for path in KEPT:
        bao.api.secrets.kv.v2.delete_metadata_and_all_versions(path, mount_point=bao.mount)
    return written


def put(bao: Bao, path: str, data: dict[str, str]) -> None:
    bao.api.secrets.kv.v2.create_or_update_secret(path, data, mount_point=bao.mount)


def export(bao: Bao, folder: Path, *keys: x25519.Identity, **options: Any) -> dict[str, Any]:
    recipients = [str(one.to_public()) for one in keys]
    usual = {**NAMES, "recipients": recipients, "folder": str(folder / "backups"), "mount": bao.mount}
    return bao.run(vault_export.TASK, **{**usual, **options})


def restore(bao: Bao, file: Path, **options: Any) -> dict[str, Any]:
    usual = {"file": str(file), "identity_file": str(file.parents[1] / "key"), "path": FOLDER, "mount": bao.mount}
    return bao.run(vault_import.TASK, **{**usual, "keep": [], **options})


@contextmanager
def refused() -> Iterator[list[str]]:
    said: list[str] = []
    with pytest.raises(MastodonError) as caught:
        yield said
    assert "s3cret" not in str(caught.value)
    said.append(str(caught.value))


def test_all_that_is_there_comes_back_and_a_second_run_changes_nothing(bao: Bao, file: Path) -> None:
    assert restore(bao, file, check=True)["restored"] == sorted(KEPT)
    assert [*kv.below(_vault(bao), bao.mount, FOLDER)] == []
    first, second = restore(bao, file), restore(bao, file)
    assert {path: bao.stored(path) for path in KEPT} == KEPT
    assert (first["restored"], first["changed"]) == (sorted(KEPT), True)
    assert (second["restored"], second["unchanged"], second["changed"]) == ([], sorted(KEPT), False)


def _vault(bao: Bao) -> Any:
    from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

    return Vault(bao.api)


def test_a_file_is_for_its_owner_and_its_recipients_alone(bao: Bao, tmp_path: Path, file: Path) -> None:
    assert file.name.startswith("vault-example.org-2")
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert b"s3cret" not in file.read_bytes()
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    (tmp_path / "key").write_text(str(x25519.Identity.generate()))
    with refused() as said:
        restore(bao, file)
    assert said[0].startswith(
        f"File {file}: cannot be opened: not with the key in {tmp_path}/key. Use the key of a recip"
    )


def test_either_of_two_recipients_opens_it_and_its_text_says_what_it_is(bao: Bao, tmp_path: Path) -> None:
    put(bao, f"{FOLDER}/app", KEPT[f"{FOLDER}/app"])
    keys = [x25519.Identity.generate(), x25519.Identity.generate()]
    result = export(bao, tmp_path, *keys)
    assert result["versions"] == {f"{FOLDER}/app": 1}
    for one in keys:
        text = json.loads(pyrage.decrypt(Path(result["file"]).read_bytes(), [one]))
        assert text["secrets"] == {f"{FOLDER}/app": {"version": 1, "data": KEPT[f"{FOLDER}/app"]}}


def test_what_was_removed_and_written_again_is_known_by_its_time(bao: Bao) -> None:
    put(bao, f"{FOLDER}/app", {"key": "s3cret"})
    first = kv.read(_vault(bao), bao.mount, f"{FOLDER}/app")
    bao.api.secrets.kv.v2.delete_metadata_and_all_versions(f"{FOLDER}/app", mount_point=bao.mount)
    put(bao, f"{FOLDER}/app", {"key": "s3cret"})
    again = kv.read(_vault(bao), bao.mount, f"{FOLDER}/app")
    assert (first.version, first.data) == (again.version, again.data)
    assert "" != first.written < again.written


def test_in_check_mode_nothing_is_written(bao: Bao, tmp_path: Path, key: x25519.Identity) -> None:
    put(bao, f"{FOLDER}/app", {"key": "s3cret"})
    assert export(bao, tmp_path, key, check=True)["versions"] == {f"{FOLDER}/app": 1}
    assert not (tmp_path / "backups").exists()


def test_a_path_that_was_deleted_is_left_out_and_named(bao: Bao, tmp_path: Path, key: x25519.Identity) -> None:
    for path, data in KEPT.items():
        put(bao, path, data)
    bao.api.secrets.kv.v2.delete_latest_version_of_secret(f"{FOLDER}/smtp", mount_point=bao.mount)
    result = export(bao, tmp_path, key)
    assert result["deleted"] == [f"{FOLDER}/smtp"]
    assert result["versions"].keys() == KEPT.keys() - {f"{FOLDER}/smtp"}


def test_an_empty_vault_is_no_backup(bao: Bao, tmp_path: Path, key: x25519.Identity) -> None:
    with refused() as said:
        export(bao, tmp_path, key)
    assert "is empty: no secret is there that could be backed up. Check vault_path." in said[0]
    assert not (tmp_path / "backups").exists()


def test_what_is_there_already_is_never_overwritten_and_nothing_else_is_written(bao: Bao, file: Path) -> None:
    other = {"username": "me", "password": "s3cret of another server"}
    put(bao, f"{FOLDER}/smtp", other)
    with refused() as said:
        restore(bao, file)
    assert said == [
        f"Vault path {bao.mount}/{FOLDER}/smtp: is not restored: it holds another password than the file, and nothing is overwritten."
        f" If what Vault holds is right, name it in keep: {FOLDER}/smtp; otherwise remove it from Vault yourself."
    ]
    assert [*kv.below(_vault(bao), bao.mount, FOLDER)] == [f"{FOLDER}/smtp"]
    result = restore(bao, file, keep=["smtp"])
    assert (result["kept"], bao.stored(f"{FOLDER}/smtp")) == ([f"{FOLDER}/smtp"], other)
    assert bao.stored(f"{FOLDER}/app") == KEPT[f"{FOLDER}/app"]


def test_a_path_whose_newest_version_was_deleted_is_not_written_over(bao: Bao, file: Path) -> None:
    put(bao, f"{FOLDER}/app", {"secret-key-base": "s3cret of before"})
    bao.api.secrets.kv.v2.delete_latest_version_of_secret(f"{FOLDER}/app", mount_point=bao.mount)
    with refused() as said:
        restore(bao, file)
    assert f"Bring it back: bao kv undelete -mount={bao.mount} -versions=1 {FOLDER}/app." in said[0]
    bao.api.secrets.kv.v2.destroy_secret_versions(f"{FOLDER}/app", [1], mount_point=bao.mount)
    with refused() as said:
        restore(bao, file)
    assert f"Forget it: bao kv metadata delete -mount={bao.mount} {FOLDER}/app." in said[0]


def test_who_wrote_meanwhile_is_not_overwritten_and_the_next_run_goes_on(
    bao: Bao, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = kv.write

    def late(vault: Any, mount: str, path: str, data: Any, version: int) -> int:
        if path == f"{FOLDER}/smtp":
            put(bao, path, KEPT[path])
        return write(vault, mount, path, data, version)

    monkeypatch.setattr(kv, "write", late)
    with refused() as said:
        restore(bao, file)
    assert said == [
        f"Vault path {bao.mount}/{FOLDER}/smtp: is not restored: somebody wrote it a moment ago. Run again."
    ]
    monkeypatch.undo()
    result = restore(bao, file)
    assert {*result["restored"], *result["unchanged"]} == {*KEPT}
    assert {path: bao.stored(path) for path in KEPT} == KEPT


def test_a_file_of_another_mastodon_is_refused(bao: Bao, file: Path) -> None:
    with refused() as said:
        restore(bao, file, path="mastodon/other.org")
    assert "is of another Mastodon: it has " in said[0]


def test_who_may_not_list_is_told_which_rule_allows_it(bao: Bao, tmp_path: Path, key: x25519.Identity) -> None:
    bao.api.sys.create_or_update_policy("reader", f'path "{bao.mount}/data/{FOLDER}/*" {{ capabilities = ["read"] }}')
    token = bao.api.auth.token.create(policies=["reader"])["auth"]["client_token"]
    with refused() as said:
        export(bao, tmp_path, key, token=token)
    assert f'path "{bao.mount}/metadata/{FOLDER}/*" {{ capabilities = ["list"] }}' in said[0]


def test_a_folder_that_cannot_be_written_to_is_named(bao: Bao, tmp_path: Path, key: x25519.Identity) -> None:
    put(bao, f"{FOLDER}/app", {"key": "s3cret"})
    (tmp_path / "backups").write_text("a file")
    with refused() as said:
        export(bao, tmp_path, key)
    assert "cannot be written: File exists. Check who may write there, or set vault_backup_folder." in said[0]
