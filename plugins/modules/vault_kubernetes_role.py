#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_kubernetes_role
short_description: Let service accounts of a cluster log in to Vault or OpenBao
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Enables and configures the Kubernetes login when it is not there, and writes one role of it.
  - A login that is configured already is left as it is.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault
  - fediverse.mastodon.attributes
options:
  mount_point:
    description: Path of the login.
    type: str
    default: kubernetes
  api_server:
    description: API server's address as Vault reaches it. Used only when the login has no configuration yet.
    type: str
    default: https://kubernetes.default.svc
  reviewer:
    description:
      - Secret with the token of an account that may review tokens, written as C(namespace/name), for a Vault outside of the cluster. Its
        authority is the one that Vault trusts the API server by.
      - Without it, Vault asks the API server with the account of the pod that it runs in.
    type: str
    default: ""
  name:
    description: Name of the role.
    type: str
    required: true
  bound_service_account_names:
    description: Names of the service accounts that may log in.
    type: list
    elements: str
    required: true
  bound_service_account_namespaces:
    description: Their namespaces.
    type: list
    elements: str
    required: true
  policies:
    description: Policies of the tokens that they get.
    type: list
    elements: str
    required: true
  audience:
    description: Audience that their tokens must be for. Vault 1.21 and later require one.
    type: str
  ttl:
    description: Seconds that the tokens live.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Let External Secrets log in with its service account
  fediverse.mastodon.vault_kubernetes_role:
    name: mastodon-example.org
    bound_service_account_names: [external-secrets]
    bound_service_account_namespaces: [external-secrets]
    policies: [mastodon-example.org]
    audience: vault
"""

RETURN = r"""
diff:
  description: The login, its settings and the role, as far as each was or would be changed, as text before and after.
  returned: in diff mode
  type: list
  elements: dict
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_kubernetes_role import TASK

if __name__ == "__main__":
    main(TASK)
