# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What options and variables say of a cluster is done, or refused by name: never another cluster, user or way."""

from __future__ import annotations

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import config
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._kube.test_config import kubeconfig

HOST = "https://given:6443"


def basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def trust(connection: Connection) -> ssl.SSLContext:
    found: ssl.SSLContext = connection.pool.connection_pool_kw["ssl_context"]
    return found


@pytest.mark.parametrize(
    ("variables", "headers"),
    [
        ({"API_KEY": "t"}, {"authorization": "Bearer t"}),
        ({"USERNAME": "a", "PASSWORD": "b"}, {"authorization": basic("a:b")}),
        (
            {"API_KEY": "t", "IMPERSONATE_USER": "b", "IMPERSONATE_GROUPS": "x, y"},
            {"authorization": "Bearer t", "impersonate-user": "b", "impersonate-group": "x, y"},
        ),
    ],
)
def test_a_host_and_a_user_need_no_kubeconfig_and_meet_no_other(
    tmp_path: Path, variables: dict[str, str], headers: dict[str, str]
) -> None:
    kubeconfig(tmp_path, ".kube/config", token="of the kubeconfig")
    family = {f"K8S_AUTH_{name}": value for name, value in {"HOST": HOST, **variables}.items()}
    environment = {**family, "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / ".kube/config")}
    options = {
        **{f"kubernetes_{name.lower()}": value for name, value in {"HOST": HOST, **variables}.items()},
        **({"kubernetes_impersonate_groups": ["x", "y"]} if "IMPERSONATE_GROUPS" in variables else {}),
    }
    broken = {"K8S_AUTH_KUBECONFIG": "/nonexistent", "K8S_AUTH_CONTEXT": "other", "HOME": str(tmp_path)}
    for connection in (connect({}, environment), connect(options, broken)):
        assert connection.host == HOST
        assert connection.headers() == headers


def test_a_host_alone_takes_the_user_of_the_kubeconfig_and_not_that_of_the_pod(tmp_path: Path) -> None:
    kubeconfig(tmp_path, ".kube/config", token="t")
    found = connect({"kubernetes_host": HOST}, {"HOME": str(tmp_path)})
    assert (found.host, found.headers()) == (HOST, {"authorization": "Bearer t"})
    inside = connect({"kubernetes_host": HOST}, {"HOME": "/nonexistent", "KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert (inside.host, inside.headers()) == (HOST, {})


@pytest.mark.parametrize("given", [{"kubernetes_api_key": "new"}, {"K8S_AUTH_API_KEY": "new"}])
def test_a_user_replaces_that_of_the_kubeconfig_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    known: list[object] = []
    monkeypatch.setattr(config, "_identify", lambda trust, identity: known.append(identity))
    encoded = base64.b64encode(b"PEM").decode()
    user = {"client-certificate-data": encoded, "client-key-data": encoded, "as": "reader"}
    path = kubeconfig(tmp_path, **user)
    connect({"kubeconfig": path}, {})
    assert len(known) == 1
    found = connect({"kubeconfig": path, **given}, given)
    assert found.headers() == {"authorization": "Bearer new", "impersonate-user": "reader"}
    assert len(known) == 1


def test_whom_to_act_as_replaces_whom_the_kubeconfig_names_whole(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, **{"token": "t", "as": "a", "as-uid": "1", "as-groups": ["admins"]})
    found = connect({"kubeconfig": path, "kubernetes_impersonate_user": "b"}, {})
    assert found.headers() == {"authorization": "Bearer t", "impersonate-user": "b"}
    grouped = connect({"kubeconfig": path, "kubernetes_impersonate_groups": ["x"]}, {})
    assert grouped.headers()["impersonate-group"] == "x"
    assert grouped.headers()["impersonate-user"] == "a"


def test_verification_is_turned_off_only_by_what_says_so(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path)
    for variable, value in (("VERIFY_SSL", "no"), ("VERIFY_SSL", "False"), ("VALIDATE_CERTS", "0")):
        assert trust(connect({"kubeconfig": path}, {f"K8S_AUTH_{variable}": value})).verify_mode == ssl.CERT_NONE
    for environment in ({}, {"K8S_AUTH_VERIFY_SSL": "yes"}):
        assert trust(connect({"kubeconfig": path}, environment)).verify_mode == ssl.CERT_REQUIRED
    assert trust(connect({"kubeconfig": path, "kubernetes_validate_certs": False}, {})).verify_mode == ssl.CERT_NONE


def test_the_name_in_the_certificate_belongs_to_the_server(tmp_path: Path) -> None:
    path = Path(kubeconfig(tmp_path))
    content = json.loads(path.read_text())
    content["clusters"][0]["cluster"]["tls-server-name"] = "theirs"
    path.write_text(json.dumps(content))

    def name(**options: str) -> Any:
        return connect({"kubeconfig": str(path), **options}, {}).pool.connection_pool_kw.get("server_hostname")

    assert name() == "theirs"
    assert name(kubernetes_host=HOST) is None
    assert name(kubernetes_host=HOST, kubernetes_tls_server_name="given") == "given"


REFUSED = {
    "K8S_AUTH_VERIFY_SSL=perhaps": "Variable K8S_AUTH_VERIFY_SSL: 'perhaps' is neither true nor false.",
    "K8S_AUTH_PERSIST_CONFIG=true": "Variable K8S_AUTH_PERSIST_CONFIG: cannot be honoured: no kubeconfig is ever written.",
    "K8S_AUTH_TOKEN=secret": "Variable K8S_AUTH_TOKEN: is not known. Unset it",
    "K8S_AUTH_SERVER=https://b": "Variable K8S_AUTH_SERVER: is not known. Unset it",
    "K8S_AUTH_PROXY_HEADERS=x": "Variable K8S_AUTH_PROXY_HEADERS: is not known. Unset it",
    "K8S_AUTH_HOST=https://b": (
        "Variable K8S_AUTH_HOST: contradicts the task: it names https://b, and the option kubeconfig names https://one:1."
    ),
    "K8S_AUTH_IMPERSONATE_GROUPS=a": "it has as-groups but no as",
    "K8S_AUTH_CERT_FILE=/nonexistent": "client-certificate /nonexistent: No such file",
    "K8S_AUTH_SSL_CA_CERT=/nonexistent": "certificate-authority /nonexistent: No such file",
    "K8S_AUTH_CONTEXT=third": "it has no context third",
}


@pytest.mark.parametrize("setting", REFUSED)
def test_what_cannot_be_honoured_is_refused_by_name(tmp_path: Path, setting: str) -> None:
    variable, _unused, value = setting.partition("=")
    with pytest.raises(MastodonError) as refused:
        connect({"kubeconfig": kubeconfig(tmp_path, token="t")}, {variable: value})
    assert REFUSED[setting] in str(refused.value)
    assert "secret" not in str(refused.value)


def test_variables_that_say_nothing_of_the_cluster_are_passed_over(tmp_path: Path) -> None:
    environment = {
        "K8S_AUTH_NAMESPACE": "n",
        "K8S_AUTH_POD": "p",
        "K8S_AUTH_HOST": "",
        "K8S_AUTH_PERSIST_CONFIG": "false",
    }
    assert connect({"kubeconfig": kubeconfig(tmp_path)}, environment).host == "https://one:1"


def test_the_environments_host_may_be_that_of_the_kubeconfig(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path)
    assert connect({"kubeconfig": path}, {"K8S_AUTH_HOST": "https://one:1/"}).host == "https://one:1"
    both = {"K8S_AUTH_KUBECONFIG": path, "K8S_AUTH_HOST": HOST}
    assert connect({}, both).host == HOST


def test_proxies_are_sent_what_is_asked(tmp_path: Path) -> None:
    environment = {
        "K8S_AUTH_PROXY": "http://proxy:1",
        "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "me",
        "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH": "a:b",
    }
    pool: Any = connect({"kubeconfig": kubeconfig(tmp_path)}, environment).pool
    assert str(pool.proxy) == "http://proxy:1"
    assert pool.proxy_headers == {"user-agent": "me", "proxy-authorization": basic("a:b")}


def test_a_context_without_a_kubeconfig_is_refused_in_a_pod() -> None:
    with pytest.raises(MastodonError, match="Option context: cannot be used: there is not a kubeconfig"):
        connect({"context": "other"}, {"HOME": "/nonexistent", "KUBERNETES_SERVICE_HOST": "10.0.0.1"})


def content(token: str) -> dict[str, Any]:
    return {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://content"}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }


@pytest.mark.parametrize(
    "given", [content("secret"), json.dumps(content("secret")), json.dumps(content("secret"), indent=1)]
)
def test_a_kubeconfig_may_be_given_as_content(given: Any) -> None:
    for connection in (connect({"kubeconfig": given}, {}),):
        assert connection.host == "https://content"
        assert connection.headers() == {"authorization": "Bearer secret"}


WRONG: list[Any] = [
    {"users": [{"name": "u", "user": {"token": "secret"}}]},
    {"current-context": "x", "contexts": "secret"},
    {**content("secret"), "clusters": [{"name": "c", "cluster": {"server": ["secret"]}}]},
    {
        **content("secret"),
        "users": [{"name": "u", "user": {"client-key-data": "secret", "client-certificate-data": "secret"}}],
    },
    content("secret\nsecret"),
    "current-context: [secret\nusers: secret",
    ["/nonexistent", {"token": "secret"}],
    [],
    7,
]


@pytest.mark.parametrize("given", WRONG)
def test_content_that_cannot_be_used_is_never_quoted(given: Any) -> None:
    with pytest.raises(MastodonError, match=r"^Option kubeconfig: ") as refused:
        connect({"kubeconfig": given}, {"HOME": "/nonexistent"})
    assert "secret" not in str(refused.value)


def test_files_may_be_listed(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path)
    for given in ([path], ["/nonexistent", path], f"/nonexistent:{path}"):
        assert connect({"kubeconfig": given}, {}).host == "https://one:1"
