#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_refresh
short_description: Read Secrets again at once that are older than what Vault holds
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Compares what the Secrets of some stores hold with what Vault or OpenBao holds, asks External Secrets to read those again that differ,
    and waits until they hold the same. Otherwise External Secrets does so at its interval.
  - Only ExternalSecrets that this collection applied are looked at. A value that Vault has lost changes nothing.
  - Names the workloads that started with an older value and keep it until their pods are created again.
  - In check mode nothing is asked for; what is older is named.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault
  - fediverse.mastodon.attributes
options:
  stores:
    description: ClusterSecretStores that the ExternalSecrets read from.
    type: list
    elements: str
    required: true
  mount:
    description: KV version 2 mount that the stores read.
    type: str
    default: secret
  wait_timeout:
    description: How long External Secrets may take to read, in seconds.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Refresh Secrets that changed in Vault
  fediverse.mastodon.secret_refresh:
    stores: [vault-mastodon, vault-mastodon-dns]
"""

RETURN = r"""
refreshed:
  description: The ExternalSecrets whose Secrets were older.
  returned: success
  type: list
  elements: str
  sample: [ExternalSecret mastodon/mastodon-smtp]
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.secret_refresh import TASK

if __name__ == "__main__":
    main(TASK)
