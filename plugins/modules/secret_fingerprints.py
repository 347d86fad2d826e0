#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_fingerprints
short_description: Make an annotation of pods that changes with the Secrets they start with
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Returns one annotation with a keyed fingerprint of each Secret. In the template of pods it lets them be created again when a Secret
    changes, which Kubernetes does not do for values in the environment.
  - Names what is older than Vault, for M(fediverse.mastodon.secret_refresh) to read again.
  - Writes nothing, and shows no value.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.attributes
options:
  namespace:
    description: Namespace of the Secrets.
    type: str
    required: true
  fingerprint_key:
    description: Path below the mount that holds the key of the fingerprints, as M(fediverse.mastodon.vault_secret) makes it.
    type: str
    required: true
  secrets:
    description: The Secrets.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      path:
        description: Path below the mount that the Secret is made of.
        type: str
        default: ""
      keys:
        description: What it holds of that path, under the same names. All that it will hold, of one that may not be made yet.
        type: list
        elements: str
        default: []
"""

EXAMPLES = r"""
- name: Recognise the Secrets that the pods start with
  fediverse.mastodon.secret_fingerprints:
    namespace: mastodon
    fingerprint_key: mastodon/example.org/fingerprint
    secrets:
      - {name: mastodon-smtp, path: mastodon/example.org/smtp, keys: [username, password]}
      - {name: mastodon-s3}
"""

RETURN = r"""
annotations:
  description: The annotation. Empty as long as there is nothing to make fingerprints of.
  returned: success
  type: dict
  sample: {fediverse.mastodon/secrets: mastodon-s3=0f1e2d3c4b5a mastodon-smtp=3f2a9c0d1e4b}
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.secret_fingerprints import TASK

if __name__ == "__main__":
    main(TASK)
