#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vault_mount
short_description: Make or adopt a KV version 2 mount in Vault or OpenBao
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Enables KV version 2 at a path when nothing is mounted there.
  - A mount that is there is left as it is; one of another type or version is refused.
extends_documentation_fragment:
  - fediverse.mastodon.vault
  - fediverse.mastodon.attributes
options:
  path:
    description: Path of the mount.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Create or adopt the mount of the secrets
  fediverse.mastodon.vault_mount:
    path: secret
"""

RETURN = r"""
diff:
  description: The mount, if it is missing, as text after.
  returned: in diff mode
  type: list
  elements: dict
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.vault_mount import TASK

if __name__ == "__main__":
    main(TASK)
