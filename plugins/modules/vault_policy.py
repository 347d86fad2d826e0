#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_policy
short_description: Write a policy in Vault or OpenBao
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Writes the policy when its text differs from what is there.
extends_documentation_fragment:
  - fediverse.mastodon.vault
  - fediverse.mastodon.attributes
options:
  name:
    description: Name of the policy.
    type: str
    required: true
  rules:
    description: Text of the policy, in HCL or JSON.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Let one folder be read, and only read
  fediverse.mastodon.vault_policy:
    name: mastodon-example.org
    rules: |
      path "secret/data/mastodon/example.org/*" {
        capabilities = ["read"]
      }
"""

RETURN = r"""
diff:
  description: The policy, if it was or would be changed, as text before and after.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: configured Vault policy mastodon-example.org
      after_header: configured Vault policy mastodon-example.org
      before: |
        path "secret/*" {
          capabilities = ["sudo"]
        }
      after: |
        path "secret/data/mastodon/example.org/*" {
          capabilities = ["read"]
        }
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_policy import TASK

if __name__ == "__main__":
    main(TASK)
