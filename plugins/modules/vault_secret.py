#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_secret
short_description: Make secrets once and keep them in Vault or OpenBao
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Generates the secrets that are missing and stores them by check-and-set before anything can use them.
  - A secret that is there is never made again, not even when it was deleted or destroyed, when only an older version of the path holds it,
    or when it cannot be right (empty, white space at an end, Mastodon's example); each is refused with what to do.
  - Secrets that are there may have any other shape; a web push pair that cannot work is a warning.
  - Of two runs at once one wins, and both use what it stored.
  - Values are never returned, printed or diffed. They are recognised by fingerprints.
extends_documentation_fragment:
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.attributes
options:
  fingerprint_key:
    description:
      - Path below the mount that holds the key of the fingerprints; made once. Without it no fingerprints are returned.
    type: str
  secrets:
    description: One entry a path.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Path below the mount.
        type: str
        required: true
      generate:
        description:
          - What to make. Each key maps to a C(format), which is V(hex) with C(bytes) (64 by default), or V(alphanumeric) or
            V(password) with C(length) (32 by default).
        type: dict
        default: {}
      vapid:
        description: Make a P-256 key pair for web push, in the format of Mastodon's own generator.
        type: dict
        suboptions:
          private_key:
            description: Key that holds the private half.
            type: str
            required: true
          public_key:
            description: Key that holds the public half.
            type: str
            required: true
      given:
        description: Values that you give. Written when absent or different.
        type: dict
        default: {}
      required:
        description: Keys that must be there afterwards and not be empty.
        type: list
        elements: str
        default: []
"""

EXAMPLES = r"""
- name: Make Mastodon's keys once
  fediverse.mastodon.vault_secret:
    fingerprint_key: mastodon/example.org/fingerprint
    secrets:
      - path: mastodon/example.org/app
        generate:
          secret-key-base: {format: hex, bytes: 64}
          are-primary-key: {format: alphanumeric, length: 32}
        vapid: {private_key: vapid-private-key, public_key: vapid-public-key}
      - path: mastodon/example.org/smtp
        required: [username, password]
"""

RETURN = r"""
secrets:
  description: What holds now, one entry a path. Never a value.
  returned: success
  type: list
  elements: dict
  sample:
    - path: mastodon/example.org/app
      version: 1
      action: created
      keys: [secret-key-base]
      reasons: {secret-key-base: generated}
      fingerprints: {secret-key-base: 3f2a9c0d1e4b}
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_secret import TASK

if __name__ == "__main__":
    main(TASK)
