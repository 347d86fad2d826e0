# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubectl takes from kubeconfig files, taken from them; and what it cannot use, named."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import Access, AccessError, Identity
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.credentials import access_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.kubeconfig import chosen, parse
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from urllib3 import HTTPHeaderDict


def document(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    return {
        "current-context": "first",
        "contexts": [{"name": "first", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://one:1/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
        **top,
    }


def written(folder: Path, content: dict[str, Any], name: str = "config") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def read_files(*files: Path) -> Access:
    """Return what these files say together."""
    return access_of(*chosen([parse(file.read_text(), str(file), file.parent) for file in files], ""), {})


def read(folder: Path, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Access:
    return read_files(written(folder, document(cluster, user)))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_cluster_is_taken_whole(tmp_path: Path) -> None:
    access = read(
        tmp_path,
        {
            "certificate-authority-data": encoded("CA"),
            "insecure-skip-tls-verify": False,
            "tls-server-name": "kubernetes",
            "proxy-url": "http://proxy:3128",
        },
    )
    assert access.server == "https://one:1"
    assert (access.authority, access.verify, access.server_name) == ("CA", True, "kubernetes")
    assert access.proxy == "http://proxy:3128"


def test_files_are_found_beside_the_kubeconfig_that_names_them(tmp_path: Path) -> None:
    for name in ("ca", "certificate", "key"):
        (tmp_path / name).write_text(f"{name}\n")
    access = read(tmp_path, {"certificate-authority": "ca"}, {"client-certificate": "certificate", "client-key": "key"})
    assert access.authority == "ca"
    assert access.identity == Identity("certificate", "key")


def test_what_stands_in_the_file_wins_over_what_it_names(tmp_path: Path) -> None:
    access = read(tmp_path, {"certificate-authority": "/nonexistent", "certificate-authority-data": encoded("CA")})
    assert access.authority == "CA"


@pytest.mark.parametrize(
    ("user", "headers"),
    [
        ({}, {}),
        ({"token": "t"}, {"authorization": "Bearer t"}),
        ({"username": "a", "password": "b"}, {"authorization": f"Basic {encoded('a:b')}"}),
        ({"username": "a"}, {"authorization": f"Basic {encoded('a:')}"}),
        ({"token": "t", "exec": {"command": "never"}}, {"authorization": "Bearer t"}),
        ({"token": "é"}, {"authorization": "Bearer Ã©"}),
    ],
)
def test_the_credentials_of_a_user(tmp_path: Path, user: dict[str, str], headers: dict[str, str]) -> None:
    assert read(tmp_path, user=user).headers() == headers


def test_a_token_in_a_file_is_read_each_time(tmp_path: Path) -> None:
    access, only = (read(tmp_path, user={"tokenFile": "token", **more}) for more in ({"token": "old"}, {}))
    for token in ("first", "second"):
        (tmp_path / "token").write_text(f"{token}\n")
        assert access.headers() == {"authorization": f"Bearer {token}"}
    (tmp_path / "token").unlink()
    assert access.headers() == {"authorization": "Bearer old"}
    with pytest.raises(AccessError, match=r"tokenFile .*token: No such file"):
        only.headers()


def test_a_context_without_a_user_has_no_credentials(tmp_path: Path) -> None:
    content = document(contexts=[{"name": "first", "context": {"cluster": "c"}}])
    assert read_files(written(tmp_path, content)).headers() == {}


def test_of_several_files_the_first_to_say_something_counts(tmp_path: Path) -> None:
    first = written(tmp_path, {"clusters": [{"name": "c", "cluster": {"server": "https://mine"}}]}, "a")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/token").write_text("there")
    second = written(tmp_path, document(user={"tokenFile": "token"}), "other/b")
    third = written(tmp_path, document(user={"token": "never"}) | {"current-context": "none"}, "c")
    access = read_files(first, second, third)
    assert access.server == "https://mine"
    assert access.headers() == {"authorization": "Bearer there"}


def test_a_user_who_acts_as_somebody_else_has_only_that_ones_rights(tmp_path: Path) -> None:
    extra = {"scopes": ["view", "dev"], "example.org/Team é": ["ä"]}
    user = {"token": "t", "as": "jürgen", "as-uid": "1", "as-groups": ["a,b", "c"], "as-user-extra": extra}
    assert list(HTTPHeaderDict(read(tmp_path, user=user).headers()).items()) == [
        ("authorization", "Bearer t"),
        ("impersonate-user", "jÃ¼rgen"),
        ("impersonate-uid", "1"),
        ("impersonate-group", "a,b"),
        ("impersonate-group", "c"),
        ("impersonate-extra-scopes", "view"),
        ("impersonate-extra-scopes", "dev"),
        ("impersonate-extra-example.org%2FTeam%20%C3%A9", "Ã¤"),
    ]


def oidc(seconds: float) -> dict[str, Any]:
    """A user of OpenID Connect whose token is valid for so long."""
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + seconds}).encode()).decode().rstrip("=")
    config = {"id-token": f"e30.{claims}.secret", "refresh-token": "secret", "idp-issuer-url": "https://id.example.org"}
    return {"auth-provider": {"name": "oidc", "config": config}}


def test_a_valid_token_of_openid_connect_is_used(tmp_path: Path) -> None:
    user = oidc(60)
    assert read(tmp_path, user=user).headers() == {
        "authorization": f"Bearer {user['auth-provider']['config']['id-token']}"
    }


def test_a_server_without_a_scheme_is_asked_over_tls(tmp_path: Path) -> None:
    assert read(tmp_path, {"server": "10.0.0.1:6443"}).server == "https://10.0.0.1:6443"


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ({"kind": "Secret"}, "is not a kubeconfig, but of another kind or version"),
        ({"apiVersion": "v2"}, "is not a kubeconfig, but of another kind or version"),
        ({}, "it has no current-context"),
        (document(contexts=None), "it has no context first"),
        (document(contexts=[{"name": "first"}]), "it has no context first"),
        (document(clusters=[]), "it has no cluster c"),
        (document(users=[]), "it has no user u"),
        (document({"server": ""}), "its cluster has no server"),
        (document({"server": 6443}), "server is not text"),
        (document({"certificate-authority-data": "%"}), "certificate-authority-data is not base64 of a PEM file"),
        (document({"certificate-authority": "no/ca"}), "certificate-authority .*/no/ca: No such file"),
        (document(user={"client-certificate-data": "/w=="}), "client-certificate-data is not base64 of a PEM file"),
        (document(user={"token": ["secret"]}), "token is not text"),
        (document({"insecure-skip-tls-verify": "false"}), "insecure-skip-tls-verify is neither true nor false"),
        (document({"insecure-skip-tls-verify": 0}), "insecure-skip-tls-verify is neither true nor false"),
        (
            document({"insecure-skip-tls-verify": True, "certificate-authority-data": encoded("CA")}),
            "certificate-authority and insecure-skip-tls-verify, of which only one can be meant",
        ),
        (document(user={"token": "t", "username": "a"}), "a token and a password, of which only one can be meant"),
        (document(user={"token": "secret\nx"}), "its token holds a line break"),
        (document(user={"client-certificate-data": encoded("C")}), "a client-certificate and no client-key"),
        (document({"server": "http://one"}, {"token": "secret"}), "its server http://one is http, where anybody"),
        (document({"server": "http://one"}, {"as": "reader"}), "its server http://one is http, where anybody"),
        (
            document() | {"clusters": [{"name": "c", "cluster": {"server": f"https://{n}"}} for n in "ab"]},
            "it has two clusters c",
        ),
        (document(user={"as-groups": ["a"]}), "it has as-groups but no as"),
        (document(user={"as": "a", "as-groups": "b"}), "as-groups is not a list of texts"),
        (document(user={"as": "a", "as-groups": [1]}), "as-groups is not a list of texts"),
        (document(user={"as": ["a"]}), "as is not text"),
        (document(user={"as": "a", "as-user-extra": {"b": "secret"}}), "b is not a list of texts"),
        (document(user={"as": "a", "as-user-extra": ["b"]}), "as-user-extra is not a mapping"),
        (document(user={"as": "a\r\nauthorization: b"}), "as holds a line break"),
        (
            document(user={"auth-provider": {"name": "gcp"}}),
            "no longer has; let it use the exec plugin gke-gcloud-auth",
        ),
        (document(user={"auth-provider": {"name": "mine"}}), "auth-provider mine, which Kubernetes no longer has$"),
        (
            document(user={"auth-provider": {"name": "oidc"}}),
            "id-token of OpenID Connect has expired; run kubectl once",
        ),
        (document(user=oidc(-60)), "id-token of OpenID Connect has expired; run kubectl once"),
        (
            document(user={"auth-provider": {"name": "oidc", "config": {"id-token": "secret"}}}),
            "id-token is not a token of OpenID",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: dict[str, Any], reported: str) -> None:
    with pytest.raises(AccessError, match=reported) as refused:
        read_files(written(tmp_path, content)).headers()
    assert "secret" not in str(refused.value)


def test_no_wrong_yaml_shows_its_own_text(tmp_path: Path) -> None:
    path = tmp_path / "config"
    for text in ("token: secret: x", "token: 'secret", "\ttoken: secret", "token: !secret x", "secret: \x01"):
        path.write_text(text)
        with pytest.raises(AccessError, match="is not YAML") as refused:
            read_files(path)
        assert text not in str(refused.value)


WRONG: list[Any] = [None, 1, "x", [], {}, [1], {"name": 1}, [None], True, ["x"], {"x": "y"}]


def refusal(path: Path) -> str | None:
    try:
        connect({"kubeconfig": str(path)}, {"PATH": "/usr/bin:/bin"})
    except MastodonError as error:
        return str(error)
    return None


def test_whatever_is_wrong_in_a_kubeconfig_is_one_sentence(tmp_path: Path) -> None:
    """Replace each part of a good one with each of `WRONG`: it is used, or refused in a sentence."""
    random = Random(20261127)
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "true", "env": [{"name": "a", "value": "b"}]}
    for round_ in range(200):
        users = {"exec": plugin} if round_ % 2 else {"token": "t", "client-key-data": encoded("k")}
        content = document({"extensions": [], "tls-server-name": "one"}, users)
        place: Any = content
        while True:
            key = random.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not place[key] or not isinstance(place[key], (dict, list)) or random.random() < 0.3:
                break
            place = place[key]
        place[key] = random.choice(WRONG)
        path = written(tmp_path, content)
        reported = refusal(path)
        assert reported is None or reported.startswith(f"Kubeconfig {path}: ")
