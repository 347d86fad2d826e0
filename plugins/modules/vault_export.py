#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_export
short_description: Back up secrets of Vault or OpenBao to a file that only its recipients can open
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Reads secrets and writes them to a new file, encrypted by U(https://age-encryption.org) to the recipients that you name. What is read is never on a
    disk or a command line otherwise.
  - M(fediverse.mastodon.vault_import) writes them back. C(age --decrypt --identity KEY FILE) shows the file without this collection.
  - A path whose newest version was deleted is left out, and named.
  - Which versions were written to which file is kept in ConfigMap C(vault-backup-NAME), without any secret, which
    M(fediverse.mastodon.status_info) reads, also when it failed. A ConfigMap of that name without the label
    C(fediverse.mastodon/vault-backup-of) is not touched.
  - In check mode nothing is written, and it says what would be.
requirements:
  - pyrage >= 1.2.3
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.attributes
options:
  name:
    description: What the file and the record are called by, such as the domain.
    type: str
    required: true
  paths:
    description: Paths below the mount. One that ends with C(/) is a folder, with all that is in it.
    type: list
    elements: str
    required: true
  recipients:
    description: Public keys of those who can open the file, C(age1…) as C(age-keygen) prints it, or C(ssh-ed25519 …) or C(ssh-rsa …).
    type: list
    elements: str
    required: true
  folder:
    description: Folder for the file, which is called C(vault-NAME-TIME.age). Created, for its owner alone, when it is missing.
    type: path
    required: true
  namespace:
    description: Namespace of the record. None is kept when empty.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Back up the secrets of Mastodon
  fediverse.mastodon.vault_export:
    name: example.org
    paths: [mastodon/example.org/]
    recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]
    folder: ~/mastodon-backups
    namespace: mastodon
"""

RETURN = r"""
file:
  description: The file, also in check mode.
  returned: success
  type: str
  sample: /home/me/mastodon-backups/vault-example.org-20261129T030000Z.age
versions:
  description: Which version of each path is in it.
  returned: success
  type: dict
  sample: {mastodon/example.org/app: 1}
deleted:
  description: Paths that were left out, as their newest version was deleted.
  returned: success
  type: list
  elements: str
  sample: [mastodon/example.org/retired]
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_export import TASK

if __name__ == "__main__":
    main(TASK)
