# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to log in, at a real OpenBao, and in a namespace of it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import health
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import connect
from ansible_collections.fediverse.mastodon.tests.integration.vault.support import ROOT, Bao
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@pytest.fixture(scope="module")
def role(server: Bao) -> dict[str, str]:
    """An AppRole, with what it proves itself by."""
    if "approle/" not in server.api.sys.list_auth_methods()["data"]:
        server.api.sys.enable_auth_method("approle")
    server.api.write_data("auth/approle/role/runner", data={"token_policies": ["reader"]})
    role_id = server.api.read("auth/approle/role/runner/role-id")["data"]["role_id"]
    secret = server.api.write_data("auth/approle/role/runner/secret-id", data={})["data"]["secret_id"]
    return {"role_id": role_id, "secret_id": secret}


def policies(server: Bao, options: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> set[str]:
    """Log in, and return what the token may do."""
    vault = connect({"address": server.address, **options}, environment or {"VAULT_TOKEN": ROOT})
    return set(vault.api.auth.token.lookup_self()["data"]["policies"])


def test_an_approle_logs_in_whatever_token_lies_around(server: Bao, role: dict[str, str]) -> None:
    assert policies(server, {"auth_method": "approle", **role}) == {"default", "reader"}
    environment = {"VAULT_ROLE_ID": role["role_id"], "VAULT_SECRET_ID": role["secret_id"], "VAULT_TOKEN": ROOT}
    assert policies(server, {"auth_method": "approle"}, environment) == {"default", "reader"}
    assert policies(server, {}) == {"root"}


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"secret_id": "canary"}, "logging in by approle is refused: invalid role or secret ID. Check the role"),
        ({"role_id": "nobody"}, "logging in by approle is refused"),
        ({"login_mount": "elsewhere"}, "logging in by approle "),
        ({"role_id": ""}, "Variable vault_role_id: missing: vault_auth_method is approle"),
        ({"secret_id": "can\nary"}, "vault_secret_id cannot be used"),
    ],
)
def test_who_is_refused_learns_why_and_shows_no_secret(
    server: Bao, role: dict[str, str], change: dict[str, str], reported: str
) -> None:
    with pytest.raises(MastodonError) as refused:
        policies(server, {"auth_method": "approle", **role, **change})
    assert reported in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ("canary", "ary", role["secret_id"]))


def part(content: bytes | Mapping[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("given", ["jwt", "jwt_file"])
def test_a_jwt_logs_in_as_text_and_from_a_file(server: Bao, tmp_path: Path, given: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mount = f"ci-{given}"
    server.api.sys.enable_auth_method("jwt", path=mount)
    server.api.write_data(f"auth/{mount}/config", data={"jwt_validation_pubkeys": [public.decode()]})
    bound = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["reader"]}
    server.api.write_data(f"auth/{mount}/role/ci", data=bound)
    claims = {"sub": "pipeline", "aud": "vault", "exp": int(time.time()) + 60}
    signed = f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}"
    jwt = f"{signed}.{part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    (tmp_path / "jwt").write_text(f"{jwt}\n")
    proof = {"jwt": jwt, "jwt_file": str(tmp_path / "jwt")}[given]
    options = {"auth_method": "jwt", "login_mount": mount, "login_role": "ci"}
    assert policies(server, {**options, given: proof}) == {"default", "reader"}
    with pytest.raises(MastodonError, match="logging in by jwt is refused: "):
        policies(server, {**options, "jwt": jwt[:-8]})


def test_a_pod_s_account_is_looked_for_where_kubernetes_puts_it(server: Bao) -> None:
    with pytest.raises(MastodonError, match=r"/var/run/secrets/kubernetes\.io/serviceaccount/token cannot be read"):
        policies(server, {"auth_method": "kubernetes", "login_role": "runner"})


def test_everything_happens_in_the_namespace_that_is_asked_for(server: Bao) -> None:
    server.api.write_data("sys/namespaces/team", data={})
    vault = connect({"address": server.address, "token": ROOT, "vault_namespace": "team"}, {})
    vault.api.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    vault.api.secrets.kv.v2.create_or_update_secret("m", {"key": "in team"}, mount_point="secret")
    for environment in ({"VAULT_NAMESPACE": "team"}, {"BAO_NAMESPACE": "team"}):
        there = connect({"address": server.address, "token": ROOT}, environment)
        answer = there.api.secrets.kv.v2.read_secret_version("m", mount_point="secret", raise_on_deleted_version=True)
        assert answer["data"]["data"] == {"key": "in team"}
    assert health.check(vault).version == health.check(connect({"address": server.address, "token": ROOT}, {})).version
    server.api.secrets.kv.v2.create_or_update_secret("m", {"key": "above"}, mount_point="secret")
    answer = vault.api.secrets.kv.v2.read_secret_version("m", mount_point="secret", raise_on_deleted_version=True)
    assert answer["data"]["data"] == {"key": "in team"}


def test_an_authority_that_is_not_there_is_named(server: Bao) -> None:
    with pytest.raises(MastodonError, match=r"File /nonexistent.pem: does not exist: .* Set vault_ca_cert\."):
        policies(server, {"ca_cert": "/nonexistent.pem"})
