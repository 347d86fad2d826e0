#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_import
short_description: Restore secrets of Vault or OpenBao from an encrypted file
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Opens a file of M(fediverse.mastodon.vault_export) with a private key and writes what is missing, by check-and-set. Nothing that is there is
    overwritten.
  - A path that holds something else, or whose newest version was deleted, is refused before anything is written, unless O(keep) names it; a
    path that holds the same is left alone. A run that was killed goes on.
  - In check mode nothing is written, and it says what would be.
requirements:
  - pyrage >= 1.2.3
extends_documentation_fragment:
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.attributes
options:
  file:
    description: The file.
    type: path
    required: true
  identity_file:
    description: File with the private key, as C(age-keygen) wrote it, or of SSH without a passphrase.
    type: path
    required: true
  path:
    description: Folder of this Mastodon's secrets below the mount. A file that has nothing of it is refused.
    type: str
    required: true
  keep:
    description:
      - Paths that may hold something else than the file and stay so, such as the login of a mail server that is another one now. One below O(path)
        may be given by its last part, such as V(smtp).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Restore the secrets of Mastodon
  fediverse.mastodon.vault_import:
    file: ~/mastodon-backups/vault-example.org-20261129T030000Z.age
    identity_file: ~/mastodon.key
    path: mastodon/example.org
"""

RETURN = r"""
made:
  description: When the file was made.
  returned: success
  type: str
  sample: "2026-11-29T03:00:00Z"
restored:
  description: Paths that were written, or would be.
  returned: success
  type: list
  elements: str
  sample: [mastodon/example.org/app]
unchanged:
  description: Paths that hold the same already.
  returned: success
  type: list
  elements: str
  sample: []
kept:
  description: Paths that hold something else, as O(keep) allows.
  returned: success
  type: list
  elements: str
  sample: [mastodon/example.org/smtp]
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_import import TASK

if __name__ == "__main__":
    main(TASK)
