# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules have."""

from __future__ import annotations

from typing import Any

VAULT_OPTIONS: dict[str, Any] = {
    "address": {"type": "str"},
    "vault_namespace": {"type": "str"},
    "ca_cert": {"type": "path"},
    "auth_method": {"type": "str", "choices": ["token", "approle", "kubernetes", "jwt"], "default": "token"},
    "token": {"type": "str", "no_log": True},
    "token_file": {"type": "path"},
    "login_mount": {"type": "str"},
    "login_role": {"type": "str"},
    "role_id": {"type": "str"},
    "secret_id": {"type": "str", "no_log": True},
    "jwt": {"type": "str", "no_log": True},
    "jwt_file": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
}

# Of those that read or write secrets.
KV_OPTIONS: dict[str, Any] = {**VAULT_OPTIONS, "mount": {"type": "str", "default": "secret"}}

# Which Mastodon, by its Helm release.
RELEASE_OPTIONS: dict[str, Any] = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
}
# Which Cluster of CloudNativePG.
CLUSTER_OPTIONS: dict[str, Any] = {
    "namespace": {"type": "str", "required": True},
    "cluster": {"type": "str", "required": True},
}
# Besides, where the login of its owner and Mastodon's keys are, not what they are.
DATABASE_OPTIONS: dict[str, Any] = {
    **CLUSTER_OPTIONS,
    "database": {"type": "str", "required": True},
    "owner": {"type": "str", "required": True},
    "secret": {"type": "str", "required": True, "no_log": False},
    "path": {"type": "str", "required": True, "no_log": False},
}

NAMED: dict[str, Any] = {
    "api_version": {"type": "str"},
    "kind": {"type": "str", "required": True},
    "namespace": {"type": "str"},
    "name": {"type": "str"},
}
# One object, which cannot be left unnamed.
ONE: dict[str, Any] = {**NAMED, "name": {"type": "str", "required": True}}
SELECTED: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {**NAMED, "label_selector": {"type": "str"}},
    "mutually_exclusive": [["name", "label_selector"]],
}


def entries(**options: dict[str, Any]) -> dict[str, Any]:
    """Return an option that is a list of mappings, and empty when it is not given."""
    return {"type": "list", "elements": "dict", "default": [], "options": options}


KINDS_OPTION = entries(
    api_version={"type": "str", "required": True},
    kind={"type": "str", "required": True},
    provided_by={"type": "str", "default": ""},
)
DEPENDS_ON_OPTION = entries(**ONE)
ADOPTED_OPTION = entries(
    name={"type": "str", "required": True},
    image={"type": "str", "required": True},
    oldest={"type": "str"},
)
BACKUPS_OPTION = entries(
    what={"type": "str", "required": True},
    endpoint={"type": "str", "required": True},
    media_endpoint={"type": "str", "default": ""},
    served_hosts={"type": "list", "elements": "str", "default": []},
    setting={"type": "str", "required": True},
)
# Those whose disks Ceph may take.
NODES_OPTION: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
# What each is called, empty for the cluster's default one, and the setting that names it.
STORAGE_CLASSES_OPTION = entries(
    name={"type": "str", "default": ""},
    wanted_by={"type": "str", "required": True},
)
# Whose secrets are backed up, and where the record of that is.
VAULT_BACKUP_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "wanted": {"type": "bool", "default": True},
    },
}
