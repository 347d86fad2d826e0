#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point of the doctor."""

from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Check settings, cluster and Vault, and touch nothing
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Checks that every setting is known and complete, that the sizes add up, that the API server answers and serves the kinds that are needed,
    and that Vault is unsealed and accepts the token.
  - Fails with one sentence for each thing that is wrong.
  - In check mode a kind that is not served is reported and is not a failure, as an earlier role would have brought it.
requirements:
  - dnspython >= 2.6.1
extends_documentation_fragment:
  - fediverse.mastodon.adopted
  - fediverse.mastodon.gateway
  - fediverse.mastodon.kinds
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault
  - fediverse.mastodon.attributes
options:
  cluster:
    description: Check the API server.
    type: bool
    default: true
  edge:
    description: Check the settings of hosts, certificates and DNS records against each other. Part of O(settings=true).
    type: bool
    default: false
  external_dns:
    description: An external-dns that must not lose its records; its owner must be its own alone, and the one that it always was.
    type: dict
    suboptions:
      name:
        description: Name of its HelmRelease.
        type: str
        required: true
      namespace:
        description: Namespace of its HelmRelease.
        type: str
        required: true
      owner:
        description: Owner that its TXT records name.
        type: str
        required: true
      values:
        description: Helm values that it gets. They are refused where they would orphan or delete all of its records.
        type: dict
        default: {}
      hosts:
        description: Hosts whose records are looked at before a first release may delete any.
        type: list
        elements: str
        default: []
      nameserver:
        description: Address of the name server that is asked for them. When empty, those that this machine asks.
        type: str
        default: ""
      nameserver_port:
        description: Its port.
        type: int
        default: 53
  playbook_tags:
    description:
      - Tags that tasks of the playbook have. One in C(--tags) or C(--skip-tags) that looks like a misspelt one of them is refused. Looked at
        with O(settings=true).
    type: list
    elements: str
    default: []
  settings:
    description: Check the play's variables against the argument specs of all roles of this collection.
    type: bool
    default: false
  storage_classes:
    description: StorageClasses that must exist; one without a name is not looked for.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name.
        type: str
        default: ""
      wanted_by:
        description: The setting that names it, for the remedy.
        type: str
        required: true
  subject:
    description: What the settings are those of. It is only returned, so that what comes later in the play knows what was checked.
    type: str
    default: ""
  vault:
    description: Check Vault.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check what Mastodon stands on
  fediverse.mastodon.doctor:
    kinds:
      - {api_version: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, provided_by: flux}
"""

RETURN = r"""
checked:
  description: What was looked at and found well.
  returned: success
  type: list
  elements: str
  sample: ["API server https://10.0.0.1:6443 answers"]
subject:
  description: O(subject).
  returned: success
  type: str
  sample: mastodon/mastodon
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.doctor import TASK

if __name__ == "__main__":
    main(TASK)
