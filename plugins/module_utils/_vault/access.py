# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts, policies and the Kubernetes login: made when absent, adopted when present, never taken down."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import checked
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from hvac import exceptions


@dataclass(frozen=True)
class Outcome:
    """What was done: created, configured or unchanged, with what it was and is for a diff."""

    action: str
    line: str
    before: str = ""
    after: str = ""


def ensure_mount(vault: Vault, path: str, *, check: bool) -> Outcome:
    """Enable KV version 2 at the path unless it is there. Raises MastodonError when something else is mounted there."""
    subject = f"Vault mount {path}"
    kind, version = vault.call(
        "listing the mounts",
        'path "sys/mounts" { capabilities = ["read"] }',
        lambda: _mounted(vault.api.adapter.get("/v1/sys/mounts"), f"{path.strip('/')}/"),
    )
    if not kind:
        if not check:
            rule = f'path "sys/mounts/{path}" {{ capabilities = ["create", "update"] }}'
            vault.call(
                f"mounting {path}",
                rule,
                lambda: vault.api.sys.enable_secrets_engine("kv", path=path, options={"version": "2"}),
            )
        return Outcome("created", f"created {subject}", "", "kv version 2\n")
    if (kind, version) != ("kv", "2"):
        why = f"it is {kind} version {version}, not KV version 2"
        raise MastodonError(subject, "cannot be used", why, "Set vault_mount to another path.")
    return Outcome("unchanged", "")


def _mounted(answer: object, path: str) -> tuple[str, str]:
    """Return type and version of what is mounted at a path, both empty when nothing is."""
    mounts = checked(answer, "data", kind=dict)
    if path not in mounts:
        return "", ""
    return checked(mounts, path, "type", kind=str), checked(mounts, path, "options", kind=dict, default={}).get(
        "version", "1"
    )


def ensure_policy(vault: Vault, name: str, rules: str, *, check: bool) -> Outcome:
    """Write the policy when its text differs."""
    rule = f'path "sys/policies/acl/{name}" {{ capabilities = ["read", "create", "update"] }}'
    try:
        found = vault.call(f"reading policy {name}", rule, lambda: _policy(vault, name))
    except exceptions.InvalidPath:
        found = None
    if found is not None and found.strip() == rules.strip():
        return Outcome("unchanged", "")
    if not check:
        vault.call(
            f"writing policy {name}",
            rule,
            lambda: vault.api.sys.create_or_update_acl_policy(name, rules, pretty_print=False),
        )
    action = "created" if found is None else "configured"
    return Outcome(action, f"{action} Vault policy {name}", found or "", rules)


def _policy(vault: Vault, name: str) -> str | None:
    # It asks for another path than hvac, which few are given.
    return checked(vault.api.adapter.get(f"/v1/sys/policies/acl/{name}"), "data", "policy", kind=str)


@dataclass(frozen=True)
class Reviewer:
    """Whose token Vault asks the API server with who somebody is, and the authority that signed the API server's certificate."""

    token: str = field(repr=False)
    authority: str


def ensure_kubernetes_role(
    vault: Vault, wanted: Mapping[str, Any], *, check: bool, reviewer: Reviewer | None = None
) -> list[Outcome]:
    """Make the Kubernetes login, its configuration and one role of it. Without a `reviewer`, Vault asks as the pod that it runs in."""
    mount = wanted["mount_point"].strip("/")
    rule = 'path "sys/auth" { capabilities = ["read"] }'
    kind, _unused = vault.call(
        "listing the logins", rule, lambda: _mounted(vault.api.adapter.get("/v1/sys/auth"), f"{mount}/")
    )
    if kind not in ("", "kubernetes"):
        remedy = "Set vault_auth_mount to another path."
        raise MastodonError(f"Vault login {mount}", "cannot be used", f"it is of type {kind}", remedy)
    outcomes = [] if kind else [_enable(vault, mount, check)]
    configuration = _configuration(wanted["api_server"], reviewer)
    outcomes.append(_configure(vault, mount, configuration, exists=bool(kind), check=check))
    outcomes.append(_role(vault, mount, wanted, exists=bool(kind), check=check))
    return [outcome for outcome in outcomes if outcome.action != "unchanged"]


def _enable(vault: Vault, mount: str, check: bool) -> Outcome:
    if not check:
        rule = f'path "sys/auth/{mount}" {{ capabilities = ["create", "update", "sudo"] }}'
        vault.call(f"enabling login {mount}", rule, lambda: vault.api.sys.enable_auth_method("kubernetes", path=mount))
    return Outcome("created", f"created Vault login {mount}", "", "kubernetes\n")


def _configuration(server: str, reviewer: Reviewer | None) -> dict[str, Any]:
    # Without a reviewer's token and an authority, the server uses those of its own pod, which are renewed for it.
    # https://developer.hashicorp.com/vault/docs/auth/kubernetes#how-to-work-with-short-lived-kubernetes-tokens
    if reviewer is None:
        return {"kubernetes_host": server}
    proofs = {"token_reviewer_jwt": reviewer.token, "kubernetes_ca_cert": reviewer.authority}
    return {"kubernetes_host": server, **proofs, "disable_local_ca_jwt": True}


def _configure(vault: Vault, mount: str, wanted: Mapping[str, Any], *, exists: bool, check: bool) -> Outcome:
    """Configure a login that has no configuration; one that has is somebody's, and is left as it is."""
    host = wanted["kubernetes_host"]
    rule = f'path "auth/{mount}/config" {{ capabilities = ["read", "create", "update"] }}'
    found = ""
    if exists:
        with suppress(exceptions.InvalidPath):
            found = vault.call(f"reading login {mount}", rule, lambda: _host(vault, mount))
    if found:
        if "token_reviewer_jwt" in wanted and _server(found) != _server(host):
            why, remedy = f"it asks {found}, and not {host}", "Set vault_auth_mount to another path."
            raise MastodonError(f"Vault login {mount}", "is of another cluster", why, remedy)
        return Outcome("unchanged", "")
    if not check:
        path = f"auth/{mount}/config"
        vault.call(f"configuring login {mount}", rule, lambda: vault.api.write_data(path, data=dict(wanted)))
    return Outcome(
        "configured", f"configured Vault login {mount}: kubernetes_host {host}", "", f"kubernetes_host: {host}\n"
    )


def _host(vault: Vault, mount: str) -> str:
    configuration = checked(vault.api.adapter.get(f"/v1/auth/{mount}/config"), "data", kind=dict)
    return checked(configuration, "kubernetes_host", kind=str, default="")


def _server(url: str) -> tuple[str, str, int, str]:
    """Return what two ways to write one server have in common."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "", url, 0, ""
    return parts.scheme, (parts.hostname or "").rstrip("."), port, parts.path.rstrip("/")


def _role(vault: Vault, mount: str, wanted: Mapping[str, Any], *, exists: bool, check: bool) -> Outcome:
    name = wanted["name"]
    path = f"auth/{mount}/role/{name}"
    rule = f'path "{path}" {{ capabilities = ["read", "create", "update"] }}'
    desired = {
        "bound_service_account_names": wanted["bound_service_account_names"],
        "bound_service_account_namespaces": wanted["bound_service_account_namespaces"],
        "token_policies": wanted["policies"],
        "token_ttl": wanted["ttl"],
        **({"audience": wanted["audience"]} if wanted.get("audience") else {}),
    }
    # Of a role that is not there hvac returns nothing.
    found = vault.call(f"reading role {name}", rule, lambda: _fields(vault.api.read(path))) if exists else {}
    before = {key: found.get(key) for key in desired} if found else {}
    if before == desired:
        return Outcome("unchanged", "")
    if not check:
        vault.call(f"writing role {name}", rule, lambda: vault.api.write_data(path, data=desired))
    action = "configured" if before else "created"
    return Outcome(action, f"{action} Vault role {name}", _text(before), _text(desired))


def _fields(answer: object) -> dict[str, Any]:
    return checked(answer, "data", kind=dict) if answer is not None else {}


def _text(fields: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in sorted(fields.items()))
