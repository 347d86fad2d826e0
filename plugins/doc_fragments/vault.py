# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options shared by all modules that talk to Vault or OpenBao."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach the server."""

    DOCUMENTATION = r"""
options:
  address:
    description: Address of Vault or OpenBao. Taken from E(VAULT_ADDR) or E(BAO_ADDR) when not given.
    type: str
  token:
    description: Token. Taken from E(VAULT_TOKEN), E(BAO_TOKEN) or O(token_file) when not given.
    type: str
  token_file:
    description: File that holds the token. Goes before the environment. C(~/.vault-token) by default.
    type: path
  vault_namespace:
    description: Namespace in Vault. Taken from E(VAULT_NAMESPACE) when not given.
    type: str
  ca_cert:
    description: File with the authority that signed the server's certificate. Taken from E(VAULT_CACERT) or E(BAO_CACERT).
    type: path
  timeout:
    description: Seconds to wait for one answer.
    type: int
    default: 30
requirements:
  - cryptography >= 43.0.0
  - hvac >= 2.4.0
  - requests >= 2.32.2
"""
