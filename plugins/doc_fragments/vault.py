# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options shared by all modules that talk to Vault or OpenBao."""

from __future__ import annotations

_OPTIONS = r"""
  address:
    description: Address of Vault or OpenBao. Without it, the variable C(vault_address), E(VAULT_ADDR) or E(BAO_ADDR) is used.
    type: str
  vault_namespace:
    description: Namespace in Vault. Without it, the variable C(vault_namespace), E(VAULT_NAMESPACE) or E(BAO_NAMESPACE) is used.
    type: str
  ca_cert:
    description:
      - File with the authority that signed the server's certificate. Without it, the variable C(vault_ca_cert), E(VAULT_CACERT) or
        E(BAO_CACERT) is used, or what the machine trusts.
    type: path
  auth_method:
    description:
      - How to get a token. V(token) takes one that is there. The others log in again for each task, V(approle) by O(role_id) and O(secret_id),
        V(kubernetes) and V(jwt) by O(login_role) and a JWT. Without it, the variable C(vault_auth_method) is used.
    type: str
    choices: [token, approle, kubernetes, jwt]
    default: token
  token:
    description:
      - Token. Without it, the variable C(vault_token), O(token_file), E(VAULT_TOKEN), E(BAO_TOKEN) or C(~/.vault-token) is used.
    type: str
  token_file:
    description: File that holds the token. Goes before the environment. Without it, the variable C(vault_token_file) is used.
    type: path
  login_mount:
    description: Mount of the login. Without it, the variable C(vault_login_mount) is used, or what the method is called.
    type: str
  login_role:
    description: Role of the login. Without it, the variable C(vault_login_role) is used.
    type: str
  role_id:
    description: Which AppRole. Without it, the variable C(vault_role_id) or E(VAULT_ROLE_ID) is used.
    type: str
  secret_id:
    description: What proves the AppRole. Without it, the variable C(vault_secret_id) or E(VAULT_SECRET_ID) is used.
    type: str
  jwt:
    description: JWT to log in with. Without it, the variable C(vault_jwt) is used.
    type: str
  jwt_file:
    description: File that holds it. Without it, the variable C(vault_jwt_file) is used, or for V(kubernetes) the token of the pod's own account.
    type: path
  timeout:
    description: Seconds to wait for one answer. Without it, the variable C(vault_timeout) is used.
    type: int
    default: 30
"""
_REQUIREMENTS = r"""
requirements:
  - cryptography >= 43.0.0
  - hvac >= 2.4.0
  - requests >= 2.32.2
"""
_MOUNT = r"""
  mount:
    description: KV version 2 mount.
    type: str
    default: secret
"""


class ModuleDocFragment:
    """How to reach the server."""

    DOCUMENTATION: str = f"options:\n{_OPTIONS}\n{_REQUIREMENTS}"

    # Of those that read or write secrets.
    KV: str = f"options:\n{_OPTIONS}\n{_MOUNT}\n{_REQUIREMENTS}"
