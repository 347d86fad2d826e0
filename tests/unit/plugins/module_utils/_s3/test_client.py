# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import Answer
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys

from ..s3_server import KEYS, S3


def test_goes_through_sockets_that_are_dialled_for_a_host_that_does_not_resolve(s3: S3) -> None:
    dialled: list[socket.socket] = []

    def dial() -> socket.socket:
        dialled.append(socket.create_connection(("127.0.0.1", s3.port)))
        return dialled[-1]

    bucket = Bucket("http://rgw.rook-ceph.svc", "media", "us-east-1", KEYS, dial)
    bucket.put("a key", b"content")
    assert bucket.get("a key") == b"content"
    assert s3.objects == {"a%20key": b"content"}
    # One connection for all requests.
    assert len(dialled) == 1


def test_asks_as_anyone_even_when_netrc_knows_a_login(
    s3: S3, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login AKIA password not-told\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert bucket.get_anonymously("x").status == 403


def test_a_server_that_is_not_there_is_reported_without_the_keys(unused_port: int) -> None:
    bucket = Bucket(f"http://127.0.0.1:{unused_port}", "media", "us-east-1", KEYS)
    with pytest.raises(MastodonError) as refused:
        bucket.get("x")
    assert str(refused.value) == (
        f"Bucket media at http://127.0.0.1:{unused_port}: cannot be reached: Connection refused. "
        "Check the endpoint, and that it can be reached from where Ansible runs."
    )


@pytest.mark.parametrize(
    ("access_key", "secret_key"),
    [("canary\n", "canary"), ("ca\nnary", "canary"), ("canary", "canary\n"), ("€", "canary")],
)
def test_keys_with_a_line_break_end_in_no_error_that_shows_the_signed_header(
    s3: S3, access_key: str, secret_key: str
) -> None:
    with pytest.raises(MastodonError) as refused:
        Bucket(s3.endpoint, "media", "us-east-1", Keys(access_key, secret_key, "Secret s")).get("x")
    assert str(refused.value).startswith("Secret s: its keys to the S3 server cannot be used: ")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("page", [1, 1000])
def test_folders_are_named_whatever_number_a_page_has(s3: S3, bucket: Bucket, page: int) -> None:
    s3.page = page
    s3.objects = dict.fromkeys(["a/base/1/x", "a/base/2/x", "a/wals/3", "b&c/base/1/x", "readme"], b"")
    assert bucket.folders() == ["a", "b&c"]
    assert bucket.folders("a/base/") == ["1", "2"]
    assert bucket.folders("none/") == []


def test_a_bucket_that_is_not_there_has_no_folders(s3: S3) -> None:
    assert Bucket(s3.endpoint, "another", "us-east-1", KEYS).folders() == []


def test_keys_that_may_not_list_are_named(s3: S3) -> None:
    s3.accepts = "another"
    with pytest.raises(MastodonError, match=r"listing it failed: 403 InvalidAccessKeyId\. Give the keys in Secret"):
        Bucket(s3.endpoint, "media", "us-east-1", KEYS).folders()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(403, b"<Error><Code>AccessDenied</Code></Error>"), "AccessDenied"),
        (Answer(502, b"<html>Bad Gateway</html>"), "Bad Gateway"),
    ],
)
def test_an_error_is_called_as_the_server_calls_it(answer: Answer, code: str) -> None:
    assert answer.code == code


def test_keys_are_not_shown_when_printed() -> None:
    assert KEYS.secret_key not in repr(KEYS)
