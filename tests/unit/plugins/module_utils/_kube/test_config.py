# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect


def kubeconfig(folder: Path, name: str = "config", server: str = "https://one:1", **user: Any) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "first",
        "contexts": [
            {"name": "first", "context": {"cluster": "c", "user": "u"}},
            {"name": "second", "context": {"cluster": "d", "user": "u"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": server}},
            {"name": "d", "cluster": {"server": "https://two:2"}},
        ],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps(document))
    return str(path)


def test_the_option_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"K8S_AUTH_KUBECONFIG": "/nonexistent", "KUBECONFIG": "/nonexistent"}
    connection = connect({"kubeconfig": kubeconfig(tmp_path, token="t")}, environment)
    assert connection.host == "https://one:1"
    assert connection.headers() == {"authorization": "Bearer t"}


@pytest.mark.parametrize("name", ["K8S_AUTH_KUBECONFIG", "KUBECONFIG"])
def test_the_environment_names_a_file(tmp_path: Path, name: str) -> None:
    assert connect({}, {name: kubeconfig(tmp_path)}).host == "https://one:1"


def test_several_files_may_be_named_of_which_some_are_absent(tmp_path: Path) -> None:
    assert connect({}, {"KUBECONFIG": f"/nonexistent:{kubeconfig(tmp_path)}"}).host == "https://one:1"


def test_the_usual_place_is_looked_at_last(tmp_path: Path) -> None:
    kubeconfig(tmp_path, ".kube/config")
    assert connect({}, {"HOME": str(tmp_path)}).host == "https://one:1"


@pytest.mark.parametrize(
    ("options", "environment"), [({"context": "second"}, {}), ({}, {"K8S_AUTH_CONTEXT": "second"})]
)
def test_a_context_can_be_chosen(tmp_path: Path, options: dict[str, str], environment: dict[str, str]) -> None:
    assert connect({"kubeconfig": kubeconfig(tmp_path), **options}, environment).host == "https://two:2"


def test_no_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(MastodonError, match="Kubernetes: no kubeconfig: neither the option kubeconfig"):
        connect({}, {"HOME": str(tmp_path)})


WRONG = {
    "{{{": "cannot be used",
    "": "is empty",
    "[]": "cannot be used",
    "{}": "it has no current-context",
    "token: secret\n- x": "is not YAML: did not find expected key in line 2",
    "current-context: x\ncontexts: []\nclusters: []\nusers: []": "it has no context x",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_kubeconfig_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(MastodonError) as caught:
        connect({"kubeconfig": str(path)}, {})
    assert str(caught.value).startswith(f"Kubeconfig {path}: ")
    assert WRONG[text] in str(caught.value)


def test_a_missing_file_and_a_missing_context_are_named(tmp_path: Path) -> None:
    with pytest.raises(MastodonError, match="Kubeconfig /nonexistent: does not exist"):
        connect({"kubeconfig": "/nonexistent"}, {})
    with pytest.raises(MastodonError, match="it has no context third"):
        connect({"kubeconfig": kubeconfig(tmp_path), "context": "third"}, {})
    with pytest.raises(MastodonError, match="cannot be read: Is a directory"):
        connect({"kubeconfig": str(tmp_path)}, {})


def test_wrong_certificates_are_named_and_no_key_is_left_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "temporary"
    files.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(files))
    path = kubeconfig(
        tmp_path, server="https://one:1", **{"client-certificate-data": "YQ==", "client-key-data": "YQ=="}
    )
    with pytest.raises(MastodonError, match="its certificates cannot be used"):
        connect({"kubeconfig": path}, {})
    assert list(files.iterdir()) == []


CASES: list[tuple[str, dict[str, str], str | None]] = [
    ("https://one:1", {}, None),
    ("https://one:1", {"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
    ("https://one:1", {"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
    ("https://one:1", {"ALL_PROXY": "proxy:3128"}, None),
    ("http://one:1", {"https_proxy": "http://proxy:3128"}, None),
    ("https://localhost:1", {"https_proxy": "http://proxy:3128"}, None),
    ("https://127.0.0.1:1", {"https_proxy": "http://proxy:3128"}, None),
    *(
        (
            f"https://{host}",
            {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": exceptions},
            "http://proxy:3128" * asked or None,
        )
        for host, exceptions, asked in (
            ("one:1", "one", False),
            ("one:1", "two, ONE", False),
            ("one:1", "ne", True),
            ("a.example.org", "example.org", False),
            ("a.example.org", ".example.org", False),
            ("example.org", ".example.org", True),
            ("a.example.org", "*.example.org", False),
            ("one:1", "one:2", True),
            ("one:1", "one:1", False),
            ("one", "one:443", False),
            ("10.1.2.3:1", "10.0.0.0/8", False),
            ("10.1.2.3:1", "10.1.2.3", False),
            ("10.1.2.3:1", "11.0.0.0/8", True),
            ("[fd00::1]:1", "fd00::/8", False),
            ("[fd00::1]:1", "[fd00::1]:1", False),
            ("one:1", "*", False),
        )
    ),
]


@pytest.mark.parametrize(("server", "environment", "proxy"), CASES)
def test_the_proxy_of_the_tasks_environment_is_used_where_it_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, environment: dict[str, str], proxy: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://of-the-process:1")
    found = connect({"kubeconfig": kubeconfig(tmp_path, server=server)}, environment).pool.proxy
    assert (str(found) if found else None) == proxy


def proxied(folder: Path, proxy: str) -> str:
    path = Path(kubeconfig(folder))
    content = json.loads(path.read_text())
    content["clusters"][0]["cluster"]["proxy-url"] = proxy
    path.write_text(json.dumps(content))
    return str(path)


@pytest.mark.parametrize("proxy", ["socks5://proxy:1080", "ftp://proxy", "http://proxy:port"])
def test_a_proxy_of_an_unknown_kind_is_named_without_its_login(tmp_path: Path, proxy: str) -> None:
    path = proxied(tmp_path, proxy.replace("://", "://me:secret@"))
    with pytest.raises(MastodonError, match=f"its proxy .*{proxy.rpartition('/')[2]} cannot be used") as refused:
        connect({"kubeconfig": path}, {})
    assert "secret" not in str(refused.value)


def test_the_login_of_a_proxy_is_sent_to_it(tmp_path: Path) -> None:
    pool: Any = connect({"kubeconfig": proxied(tmp_path, "http://me:s%20t@proxy:1")}, {}).pool
    assert pool.proxy_headers == {"proxy-authorization": f"Basic {base64.b64encode(b'me:s t').decode()}"}


def test_the_proxy_asked_for_goes_before_those_of_kubeconfig_and_environment(tmp_path: Path) -> None:
    kubeconfig, environment = proxied(tmp_path, "http://two:2"), {"HTTPS_PROXY": "http://three:3"}
    options = {"kubeconfig": kubeconfig, "kubernetes_proxy": "http://one:1"}
    assert str(connect(options, environment).pool.proxy) == "http://one:1"
    assert str(connect({"kubeconfig": kubeconfig}, environment).pool.proxy) == "http://two:2"
    assert connect({**options, "kubernetes_no_proxy": "one"}, environment).pool.proxy is None
