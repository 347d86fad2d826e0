#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: status_info
short_description: Report what is installed, and how it is
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Lists what this collection applied to the cluster with its status, age and version, days left of certificates, the last backups, and the
    fingerprints of secrets in Vault and when these were backed up; and whether Mastodon answers what other servers ask.
  - Writes nothing, and shows no secret.
requirements:
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.site
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.vault_backup
  - fediverse.mastodon.attributes
options:
  path:
    description: Folder of this Mastodon's secrets below the mount.
    type: str
    required: true
  secrets:
    description: Names below that folder. What has a slash is a path below the mount.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Report the status
  fediverse.mastodon.status_info:
    path: mastodon/example.org
    secrets: [app, postgresql]
"""

RETURN = r"""
objects:
  description: One entry an object of ours, and one for what is not as declared, or may not be seen, behind a release, whose C(age) is empty.
  returned: success
  type: list
  elements: dict
  sample:
    - subject: Certificate gateway-system/mastodon
      status: Current
      age: 31 d
      note: 58 days left
    - subject: Deployment mastodon/mastodon-web
      status: NotAsDeclared
      age: ""
      note: is scaled to zero replicas by hand
secrets:
  description: One entry a path, with C(version), C(written), C(gone) and C(fingerprints). Never a value.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.status_info import TASK

if __name__ == "__main__":
    main(TASK)
