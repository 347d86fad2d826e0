# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs, after the test cases of kubectl and of the package `kubernetes`, and whom the API server takes each for.

In texts, `{server}`, `{ca}`, `{token}` and so on stand for what test_whoever_runs_it makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ADMIN, DEVELOPER, READER = "lab-admin", "system:serviceaccount:{namespace}:developer", "reader"
V1 = "client.authentication.k8s.io/v1"
CERTIFICATE = {"client-certificate-data": "{certificate}", "client-key-data": "{key}"}

# Why others do otherwise.
BOTH = "kubectl refuses it with the words that the data will override the file, and that is what we do"
LAX = "it takes one of the two, or does not look"
TRUTHY = "it takes whatever is not empty for true, and verifies nothing"
PLAIN = "it asks over plain HTTP, which we never do unasked"
IGNORED = "it knows no impersonation and acts with the rights that were to be dropped"


@dataclass(frozen=True)
class Case:
    """One kubeconfig, and what becomes of it.

    `who` is empty where it is refused, with a sentence that holds `refusal`. `cluster` and `top` change the usual content, None takes
    away; `more` are further files. `kubectl` and `package` are why these do otherwise, where they do.
    """

    who: str = ""
    cluster: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=lambda: {"token": "{token}"})
    top: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[Mapping[str, Any], ...] = ()
    text: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    kubectl: str = ""
    package: str = ""


def plugin(script: str, **config: Any) -> dict[str, Any]:
    """A user whose credentials this shell script tells."""
    usual = {"apiVersion": V1, "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}
    return {"exec": {key: value for key, value in {**usual, **config}.items() if value is not None}}


def reported(version: str = V1, **status: str) -> str:
    """A script that tells these credentials."""
    text = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
    return f"printf '%s' '{text.replace('{', '{{').replace('}', '}}').replace('{{token}}', '{token}')}'"


def context(cluster: str = "c", user: str = "u", name: str = "x") -> dict[str, Any]:
    return {"name": name, "context": {key: value for key, value in (("cluster", cluster), ("user", user)) if value}}


OTHER = {"name": "other", "cluster": {"server": "{other}", "insecure-skip-tls-verify": True}}
USUAL = {"name": "c", "cluster": {"server": "{server}", "certificate-authority-data": "{ca}"}}
DEV = {"name": "u", "user": {"token": "{token}"}}

CLUSTERS = {
    "authority in the file": Case(DEVELOPER),
    "authority beside the file": Case(
        DEVELOPER, {"certificate-authority-data": None, "certificate-authority": "ca.pem"}
    ),
    "authority elsewhere": Case(
        DEVELOPER, {"certificate-authority-data": None, "certificate-authority": "{folder}/ca.pem"}
    ),
    "authority in the file and another beside it": Case(
        DEVELOPER, {"certificate-authority": "wrong-ca.pem"}, kubectl=BOTH
    ),
    "authority that is not there": Case(
        cluster={"certificate-authority-data": None, "certificate-authority": "lost.pem"},
        refusal="lost.pem: No such file",
    ),
    "no authority": Case(cluster={"certificate-authority-data": None}, refusal="TLS failed"),
    "authority of somebody else": Case(cluster={"certificate-authority-data": "{wrong_ca}"}, refusal="TLS failed"),
    "authority that is not a certificate": Case(
        cluster={"certificate-authority-data": "bm9uZQ=="}, refusal="its certificates cannot be used"
    ),
    "authority that is not base64": Case(cluster={"certificate-authority-data": "%"}, refusal="is not base64"),
    "not verified": Case(DEVELOPER, {"certificate-authority-data": None, "insecure-skip-tls-verify": True}),
    "not verified, and an authority": Case(
        cluster={"insecure-skip-tls-verify": True}, refusal="only one can be meant", package=LAX
    ),
    "verified": Case(DEVELOPER, {"insecure-skip-tls-verify": False}),
    "verified or not": Case(DEVELOPER, {"insecure-skip-tls-verify": None}),
    "not verified by the text false": Case(
        cluster={"certificate-authority-data": None, "insecure-skip-tls-verify": "false"},
        refusal="neither true nor false",
        package=TRUTHY,
    ),
    "not verified by the text true": Case(
        cluster={"certificate-authority-data": None, "insecure-skip-tls-verify": "true"},
        refusal="neither true nor false",
        package=TRUTHY,
    ),
    "not verified by a number": Case(
        cluster={"certificate-authority-data": None, "insecure-skip-tls-verify": 1},
        refusal="neither true nor false",
        package=TRUTHY,
    ),
    "name in the certificate": Case(DEVELOPER, {"tls-server-name": "kubernetes.default.svc"}),
    "wrong name in the certificate": Case(cluster={"tls-server-name": "example.org"}, refusal="TLS failed"),
    "slash after the server": Case(DEVELOPER, {"server": "{server}/"}),
    "path after the server": Case(cluster={"server": "{server}/elsewhere"}, refusal=r"\(40[34]\)|not found"),
    "server without a scheme": Case(DEVELOPER, {"server": "{address}"}, kubectl=PLAIN, package=PLAIN),
    "server without TLS": Case(cluster={"server": "http://{address}"}, refusal="is http, where anybody"),
    "no server": Case(cluster={"server": None}, refusal="its cluster has no server"),
    "server that is a number": Case(cluster={"server": 6443}, refusal="server is not text"),
    "server that is not there": Case(cluster={"server": "https://127.0.0.1:1"}, refusal="cannot be reached"),
    "no compression": Case(DEVELOPER, {"disable-compression": True}),
    "extensions": Case(DEVELOPER, {"extensions": [{"name": "minikube", "extension": {"version": "v1"}}]}),
    "fields of later versions": Case(DEVELOPER, {"later": {"a": 1}}),
    "proxy": Case(DEVELOPER, {"proxy-url": "{proxy}"}),
    "proxy with a login": Case(
        DEVELOPER, {"proxy-url": "{proxy_with_login}"}, package="it sends no login of a proxy's address"
    ),
    "proxy with a wrong login": Case(cluster={"proxy-url": "{proxy_with_wrong_login}"}, refusal="407"),
    "proxy that is not there": Case(cluster={"proxy-url": "http://127.0.0.1:1"}, refusal="cannot be reached"),
    "proxy of another kind": Case(cluster={"proxy-url": "ftp://127.0.0.1:1"}, refusal="its proxy .* cannot be used"),
    "proxy by SOCKS": Case(cluster={"proxy-url": "socks5://127.0.0.1:1"}, refusal="its proxy .* cannot be used"),
    "proxy of the environment": Case(DEVELOPER, environment={"HTTPS_PROXY": "{proxy}"}),
    "proxy of the environment that is not there": Case(
        environment={"https_proxy": "http://127.0.0.1:1"}, refusal="cannot be reached"
    ),
    "proxy of the environment that is not for this server": Case(
        DEVELOPER, environment={"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8"}
    ),
    "proxy for all": Case(DEVELOPER, environment={"ALL_PROXY": "http://127.0.0.1:1"}),
    "proxy of the kubeconfig before that of the environment": Case(
        DEVELOPER, {"proxy-url": "{proxy}"}, environment={"HTTPS_PROXY": "http://127.0.0.1:1"}
    ),
}
USERS = {
    "certificate in the file": Case(ADMIN, user=CERTIFICATE),
    "certificate beside the file": Case(
        ADMIN, user={"client-certificate": "client.pem", "client-key": "client-key.pem"}
    ),
    "certificate in the file and a lost one beside it": Case(
        ADMIN, user={**CERTIFICATE, "client-certificate": "lost.pem"}, kubectl=BOTH
    ),
    "certificate without a key": Case(user={"client-certificate-data": "{certificate}"}, refusal="no client-key"),
    "key without a certificate": Case(user={"client-key-data": "{key}"}, refusal="403|401"),
    "certificate with another key": Case(
        user={**CERTIFICATE, "client-key-data": "{wrong_key}"}, refusal="its certificates cannot be used"
    ),
    "certificate that is none": Case(
        user={**CERTIFICATE, "client-certificate-data": "bm9uZQ=="}, refusal="its certificates cannot be used"
    ),
    "certificate that is not base64": Case(
        user={**CERTIFICATE, "client-certificate-data": "%"}, refusal="is not base64"
    ),
    "certificate and a token": Case(ADMIN, user={**CERTIFICATE, "token": "{token}"}),
    "token": Case(DEVELOPER),
    "token that is wrong": Case(user={"token": "wrong"}, refusal="refused the credentials"),
    "token with a line break": Case(user={"token": "a\nb"}, refusal="holds a line break"),
    "token that is a number": Case(user={"token": 7}, refusal="token is not text"),
    "token in a file": Case(DEVELOPER, user={"tokenFile": "token"}),
    "token in a file and another": Case(
        DEVELOPER,
        user={"tokenFile": "token", "token": "wrong"},
        package="it accepts the token, which whoever renews it has replaced since",
    ),
    "token in a file that is not there": Case(user={"tokenFile": "lost"}, refusal="lost: No such file"),
    "token, and another in a file that is not there": Case(DEVELOPER, user={"tokenFile": "lost", "token": "{token}"}),
    "password": Case(user={"username": "a", "password": "b"}, refusal="403|401"),
    "user name without a password": Case(user={"username": "a"}, refusal="refused the credentials|403"),
    "password and a token": Case(
        user={"username": "a", "password": "b", "token": "{token}"}, refusal="only one can be meant", package=LAX
    ),
    "nobody": Case(user={}, refusal="403|401"),
    "plugin": Case(DEVELOPER, user=plugin(reported(token="{token}"))),
    "plugin of an older version": Case(
        DEVELOPER, user=plugin(reported(f"{V1}beta1", token="{token}"), apiVersion=f"{V1}beta1", interactiveMode=None)
    ),
    "plugin of a version that is gone": Case(
        user=plugin(reported(token="{token}"), apiVersion=f"{V1}alpha1"), refusal="is of apiVersion"
    ),
    "plugin with a certificate": Case(ADMIN, user=plugin("cat {folder}/credential.json")),
    "plugin that may ask": Case(DEVELOPER, user=plugin(reported(token="{token}"), interactiveMode="IfAvailable")),
    "plugin that must ask": Case(
        user=plugin(reported(token="{token}"), interactiveMode="Always"),
        refusal="needs a terminal",
        package="it takes the terminal of the whole run",
    ),
    "plugin that does not say whether it asks": Case(
        DEVELOPER,
        user=plugin(reported(token="{token}"), interactiveMode=None),
        kubectl="we run none with a terminal, so that nothing depends on it",
    ),
    "plugin that fails": Case(user=plugin("exit 3"), refusal="ended with 3"),
    "plugin that tells nothing": Case(user=plugin("true"), refusal="printed no credentials"),
    "plugin that is not there": Case(user=plugin("", command="no-such-plugin"), refusal="no-such-plugin: No such file"),
    "plugin without a command": Case(
        user={"exec": {"apiVersion": V1, "interactiveMode": "Never"}}, refusal="exec plugin"
    ),
    "plugin beside the file": Case(DEVELOPER, user=plugin("", command="./plugin", args=None)),
    "plugin with an environment": Case(
        DEVELOPER,
        user=plugin(reported(token="'$TOKEN'"), env=[{"name": "TOKEN", "value": "{token}"}]),
    ),
    "plugin that is given the cluster": Case(
        DEVELOPER,
        user=plugin(
            'case "$KUBERNETES_EXEC_INFO" in *"{address}"*) ' + reported(token="{token}") + ";; esac",
            provideClusterInfo=True,
        ),
    ),
    "plugin, and a token": Case(DEVELOPER, user={**plugin("exit 3"), "token": "{token}"}),
    "plugin, and a certificate": Case(ADMIN, user={**plugin("exit 3"), **CERTIFICATE}),
    "OpenID Connect": Case(
        DEVELOPER,
        user={
            "auth-provider": {
                "name": "oidc",
                "config": {"id-token": "{token}", "idp-issuer-url": "https://127.0.0.1:1", "client-id": "a"},
            }
        },
    ),
    "OpenID Connect that has expired": Case(
        user={
            "auth-provider": {
                "name": "oidc",
                "config": {
                    "id-token": "{expired}",
                    "idp-issuer-url": "https://127.0.0.1:1",
                    "client-id": "a",
                    "refresh-token": "b",
                },
            }
        },
        refusal="has expired",
    ),
    "provider of Google": Case(user={"auth-provider": {"name": "gcp"}}, refusal="gke-gcloud-auth-plugin"),
    "provider of Azure": Case(user={"auth-provider": {"name": "azure"}}, refusal="kubelogin"),
    "provider that is not known": Case(user={"auth-provider": {"name": "mine"}}, refusal="no longer has"),
    "as somebody else": Case(READER, user={**CERTIFICATE, "as": READER}, package=IGNORED),
    "as a member of groups": Case(
        READER, user={**CERTIFICATE, "as": READER, "as-groups": ["one", "two, three"]}, package=IGNORED
    ),
    "as somebody else, whole": Case(
        READER,
        user={
            **CERTIFICATE,
            "as": READER,
            "as-uid": "7",
            "as-user-extra": {"scopes": ["a", "b"], "example.org/Team é": ["ä"]},
        },
        package=IGNORED,
    ),
    "as a service account": Case(DEVELOPER, user={**CERTIFICATE, "as": DEVELOPER}, package=IGNORED),
    "as somebody with an umlaut": Case("jürgen", user={**CERTIFICATE, "as": "jürgen"}, package=IGNORED),
    "as somebody else without the right": Case(
        user={"token": "{token}", "as": READER}, refusal=r"\(403\)", package=IGNORED
    ),
    "as members of groups, and nobody": Case(
        user={**CERTIFICATE, "as-groups": ["one"]}, refusal="as-groups but no as", package=IGNORED
    ),
    "as somebody with a uid, and nobody": Case(
        user={**CERTIFICATE, "as-uid": "1"}, refusal="as-uid but no as", package=IGNORED
    ),
    "as members of one group that is not a list": Case(
        user={**CERTIFICATE, "as": READER, "as-groups": "one"}, refusal="as-groups is not a list", package=IGNORED
    ),
    "as a number": Case(user={**CERTIFICATE, "as": 7}, refusal="as is not text", package=IGNORED),
}
SHAPES = {
    "another context is the current one": Case(
        ADMIN,
        top={
            "contexts": [context(), context(user="admin", name="y")],
            "users": [DEV, {"name": "admin", "user": CERTIFICATE}],
            "current-context": "y",
        },
    ),
    "another cluster beside it": Case(DEVELOPER, top={"clusters": [OTHER, USUAL]}),
    "another cluster is meant": Case(
        "somebody elsewhere", top={"clusters": [USUAL, OTHER], "contexts": [context("other")]}
    ),
    "no current context": Case(top={"current-context": None}, refusal="no current-context"),
    "an empty current context": Case(top={"current-context": ""}, refusal="no current-context"),
    "a current context that is not there": Case(top={"current-context": "y"}, refusal="it has no context y"),
    "no contexts": Case(top={"contexts": None}, refusal="it has no context x"),
    "a cluster that is not there": Case(top={"contexts": [context("y")]}, refusal="it has no cluster y"),
    "a user that is not there": Case(top={"contexts": [context(user="y")]}, refusal="it has no user y"),
    "a context without a user": Case(top={"contexts": [context(user="")]}, refusal="403|401"),
    "a context without a cluster": Case(top={"contexts": [context("")]}, refusal="it has no cluster"),
    "two clusters of one name": Case(
        top={"clusters": [USUAL, {**OTHER, "name": "c"}]}, refusal="it has two clusters c", package=LAX
    ),
    "two users of one name": Case(
        top={"users": [DEV, {"name": "u", "user": CERTIFICATE}]}, refusal="it has two users u", package=LAX
    ),
    "two contexts of one name": Case(
        top={"contexts": [context(), context("other")]}, refusal="it has two contexts x", package=LAX
    ),
    "no apiVersion": Case(DEVELOPER, top={"apiVersion": None, "kind": None}),
    "another kind": Case(top={"kind": "ConfigMap"}, refusal="is not a kubeconfig", package=LAX),
    "another apiVersion": Case(top={"apiVersion": "v2"}, refusal="is not a kubeconfig", package=LAX),
    "preferences": Case(DEVELOPER, top={"preferences": {"colors": True}}),
    "no YAML": Case(text="clusters: [", refusal="is not YAML"),
    "nothing": Case(text="# nothing\n", refusal="is empty"),
    "a text": Case(text="kubeconfig", refusal="is not a mapping"),
    "user in another file": Case(DEVELOPER, top={"users": None}, more=({"users": [DEV]},)),
    "cluster in another file": Case(DEVELOPER, top={"clusters": None}, more=({"clusters": [USUAL]},)),
    "current context in another file": Case(DEVELOPER, top={"current-context": None}, more=({"current-context": "x"},)),
    "another current context in another file": Case(
        DEVELOPER,
        more=({"current-context": "y"},),
        package="of several files it takes the last current context, kubectl the first",
    ),
    "the same user in another file": Case(DEVELOPER, more=({"users": [{"name": "u", "user": CERTIFICATE}]},)),
    "the same cluster in another file": Case(DEVELOPER, more=({"clusters": [{**OTHER, "name": "c"}]},)),
    "the same context in another file": Case(DEVELOPER, more=({"contexts": [context("other")], "clusters": [OTHER]},)),
    "the same cluster whose other fields are in another file": Case(
        top={"clusters": [{"name": "c", "cluster": {"certificate-authority-data": "{ca}"}}]},
        more=({"clusters": [USUAL]},),
        refusal="its cluster has no server",
    ),
}
CASES = CLUSTERS | USERS | SHAPES
