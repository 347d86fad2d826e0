# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task says about Vault or OpenBao, apart from the client, as every task looks at it. This module util is PRIVATE to the collection."""

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
