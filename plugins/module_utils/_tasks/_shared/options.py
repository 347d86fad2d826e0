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

MOUNT_OPTION: dict[str, Any] = {"type": "str", "default": "secret"}

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

KINDS_OPTION: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "api_version": {"type": "str", "required": True},
        "kind": {"type": "str", "required": True},
        "provided_by": {"type": "str", "default": ""},
    },
}
DEPENDS_ON_OPTION: dict[str, Any] = {"type": "list", "elements": "dict", "default": [], "options": ONE}
