#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preconditions
short_description: Ask everything that Mastodon is to stand on, in one table
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks the API server for its version, its clock, our rights, the kinds, the StorageClasses and the Gateway that are needed; Vault for our token's rights and
    for the secrets that only people can give; DNS for the zones that hosts are in; the mail server for a login; and a bucket of yours for an object
    of its own, which is removed again; and a Mastodon that is there what other servers ask.
  - Shows one line for each, which is C(ok), C(failed) with cause and remedy, or C(skipped) with the reason, and fails when any is failed.
  - Nothing stays written. In check mode the bucket is skipped.
requirements:
  - dnspython >= 2.6.1
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.adopted
  - fediverse.mastodon.gateway
  - fediverse.mastodon.kinds
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.site
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.vault_backup
  - fediverse.mastodon.attributes
options:
  hosts:
    description: Hosts whose DNS zone must be delegated and answered for by all its name servers.
    type: list
    elements: str
    default: []
  nameserver:
    description: Address of a name server to ask in place of those of this machine.
    type: str
    default: ""
  rights:
    description: What the kubeconfig's user must be allowed to do, unless it may do everything.
    type: list
    elements: dict
    default: []
    suboptions:
      namespaces:
        description: Namespaces in which. When empty, in all.
        type: list
        elements: str
        default: []
      resources:
        description: Plurals, with group and subresource, such as C(deployments.apps/scale).
        type: list
        elements: str
        required: true
      verbs:
        description: Verbs, such as C(patch).
        type: list
        elements: str
        required: true
  rehearsed:
    description: Clusters of CloudNativePG of which a restore should have been rehearsed not long ago. One of which none was is a warning.
    type: list
    elements: dict
    default: []
    suboptions:
      namespace:
        description: Its namespace.
        type: str
        required: true
      name:
        description: Its name.
        type: str
        required: true
  media_copy:
    description: The CronJob that copies media to another place. Of one that fails, is suspended or ended well too long ago, a warning is reported.
    type: dict
    suboptions:
      hours:
        description: Hours after which it should have ended well again.
        type: int
        default: 50
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
        required: true
  backups:
    description: Where backups are written to. One that would be lost with what it is of is a warning.
    type: list
    elements: dict
    default: []
    suboptions:
      endpoint:
        description: Address of their S3 server.
        type: str
        required: true
      media_endpoint:
        description: Address of the S3 server that holds media.
        type: str
        default: ""
      served_hosts:
        description: Hosts that the Gateway of this cluster serves. An S3 server behind it is in the cluster.
        type: list
        elements: str
        default: []
      setting:
        description: The setting that names the server, for the remedy.
        type: str
        required: true
      what:
        description: What they are of, such as C(the database).
        type: str
        required: true
  s3:
    description: The bucket for media, which is written, read and left as it was. One that Rook has not made yet is passed over.
    type: dict
    suboptions:
      anyone_reads:
        description: Whether anyone should read its objects.
        type: bool
        default: true
      bucket:
        description: Its name.
        type: str
        required: true
      endpoint:
        description: Address of the S3 server. Where it is Rook's, the health of its Ceph is reported, too.
        type: str
        required: true
      path:
        description: Path in Vault of C(access-key-id) and C(secret-access-key) of a bucket of yours.
        type: str
        default: ""
      region:
        description: Region that requests are signed for.
        type: str
        default: us-east-1
      secret_name:
        description: Secret with the keys of one that Rook makes, in place of O(s3.path).
        type: str
        default: ""
      secret_namespace:
        description: Its namespace.
        type: str
        default: ""
  secrets:
    description: Secrets that only people can give.
    type: list
    elements: dict
    default: []
    suboptions:
      keys:
        description: Keys that must be there and not empty.
        type: list
        elements: str
        required: true
      path:
        description: Path below the mount.
        type: str
        required: true
  smtp:
    description: The mail server. No mail is sent.
    type: dict
    suboptions:
      host:
        description: Its name, as pods find it.
        type: str
        required: true
      path:
        description: Path in Vault of C(username) and C(password). Empty for a server that takes mail without a login.
        type: str
        default: ""
      method:
        description: How Mastodon logs in.
        type: str
        choices: [plain, login, cram_md5]
        default: plain
      port:
        description: Its port.
        type: int
        default: 587
      starttls:
        description:
          - Whether Mastodon encrypts by STARTTLS. With V(always) nothing is sent to a server that does not offer it; with V(auto) the
            password is sent to such a one for anybody to read.
        type: str
        choices: [always, auto, never]
        default: always
      tls:
        description: Whether the server encrypts from the start, as on port 465. O(smtp.starttls) is without effect then.
        type: bool
        default: false
      verify:
        description: Whether its certificate must be valid here.
        type: bool
        default: true
  storage_classes:
    description: StorageClasses that must exist.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Its name. When empty, the cluster must have a default one.
        type: str
        default: ""
      wanted_by:
        description: The setting that names it, for the remedy.
        type: str
        required: true
  vault_rights:
    description: What the token must be allowed to do.
    type: list
    elements: dict
    default: []
    suboptions:
      capabilities:
        description: Capabilities, such as C(create).
        type: list
        elements: str
        required: true
      path:
        description: Path in the API, such as C(sys/policies/acl/mastodon).
        type: str
        required: true
  zones:
    description: Zones that records are written to. When empty, the hosts may lie in any.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check all that Mastodon depends on
  fediverse.mastodon.preconditions:
    hosts: [example.org]
    storage_classes:
      - {wanted_by: cnpg_cluster_storage_class}
    smtp:
      host: smtp.example.org
      path: mastodon/example.org/smtp
"""

RETURN = r"""
findings:
  description: One entry for each precondition, in the order of the table.
  returned: success
  type: list
  elements: dict
  sample:
    - state: ok
      text: "StorageClass standard: there, by rancher.io/local-path"
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.preconditions import TASK

if __name__ == "__main__":
    main(TASK)
