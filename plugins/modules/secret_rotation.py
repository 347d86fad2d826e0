#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotation
short_description: Do one step of replacing a secret by a new one
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - V(prepare) makes the new value, unless it is there, lets the server take it beside the old one, and proves it. It is kept at the path
    of the old one, with C(-next) behind the name of its key.
  - V(promote) proves it again and puts it in the place of the old one, which is kept with C(-previous) behind its name.
  - V(finish) proves that the new one is taken and that the old one is refused, keeps a record, and removes C(-previous).
  - Whoever uses the secret is restarted in between, by the playbook C(fediverse.mastodon.rotate).
  - Vault is written by check-and-set, and a run that was killed is continued by the next one. What a server takes can be read in Vault at
    every moment.
  - How it ended is kept in ConfigMap C(NAME-rotation-SECRET), which M(fediverse.mastodon.status_info) reads, with fingerprints in place of
    values. A ConfigMap of that name without the label C(fediverse.mastodon/rotation-of) is not touched.
  - Refuses the keys of Active Record encryption, and web push keys and C(secret-key-base) unless O(accepted) names what that means.
  - In check mode nothing is written, and V(prepare) says what would be.
requirements:
  - dnspython >= 2.6.1
  - pg8000 >= 1.31.6
  - redis >= 5.2.0
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.bucket.nested
  - fediverse.mastodon.attributes
options:
  namespace:
    description: Namespace of Mastodon, where the record is kept.
    type: str
    required: true
  name:
    description: Name of its release.
    type: str
    required: true
  secret:
    description: What the secret is called in records and messages.
    type: str
    required: true
  step:
    description: What to do.
    type: str
    choices: [prepare, promote, finish]
    default: prepare
  accepted:
    description: The consequence that is accepted, of a secret whose old value cannot be used beside the new one.
    type: str
    default: ""
  path:
    description: Path below the mount.
    type: str
    required: true
  keys:
    description: Keys of the path that change together.
    type: list
    elements: str
    required: true
  fingerprint_key:
    description: Path below the mount that holds the key of the fingerprints.
    type: str
    required: true
  generate:
    description:
      - What to make, by key, as in M(fediverse.mastodon.vault_secret). Without it, and without O(vapid), the new value is yours to give.
    type: dict
    default: {}
  vapid:
    description: Make a key pair for web push. The first of O(keys) is the private one.
    type: bool
    default: false
  may_stay:
    description: Those of O(keys) that need no new value, such as the name of who logs in.
    type: list
    elements: str
    default: []
  given:
    description: Keys that the inventory gives a value of, which is refused, as the old one would come back by it.
    type: list
    elements: str
    default: []
  database:
    description: The PostgreSQL that is opened.
    type: dict
    suboptions:
      host: &host
        description: Address, as pods use it.
        type: str
        required: true
      port:
        description: Port.
        type: int
        default: 5432
      namespace:
        description: Namespace of the Cluster of CloudNativePG.
        type: str
        default: ""
      name:
        description: Name of the Cluster; empty for a server of yours.
        type: str
        default: ""
      database:
        description: Name of the database.
        type: str
        default: mastodon
      owner:
        description: Who logs in.
        type: str
        default: mastodon
      sslmode:
        description: How to encrypt, as in M(fediverse.mastodon.postgresql_check).
        type: str
        choices: [prefer, require, verify-full, disable]
        default: prefer
      secret_namespace:
        description: Namespace of the Secret with the login that Mastodon uses while the owner's password changes.
        type: str
        default: ""
      secret_name:
        description: Name of that Secret.
        type: str
        default: ""
  redis:
    description: The Redis or Dragonfly that is opened.
    type: dict
    suboptions:
      host: *host
      port:
        description: Port.
        type: int
        default: 6379
      namespace:
        description: Namespace of the Dragonfly.
        type: str
        default: ""
      name:
        description: Name of the Dragonfly; empty for a server of yours.
        type: str
        default: ""
  s3:
    description: The bucket for media that is opened.
  dns:
    description: The zone that is opened, by the credential of its provider.
    type: dict
    suboptions:
      kind:
        description: How records are written there.
        type: str
        choices: [rfc2136, cloudflare, route53]
        required: true
      zone:
        description: Name of the zone.
        type: str
        required: true
      nameserver:
        description: Name server, with V(rfc2136).
        type: str
        default: ""
      port:
        description: Its port.
        type: int
        default: 53
      key_name:
        description: Name of the key, with V(rfc2136).
        type: str
        default: ""
      algorithm:
        description: How it signs, with V(rfc2136).
        type: str
        default: hmac-sha256
  smtp:
    description: The mail server that is logged in to, as in M(fediverse.mastodon.preconditions).
    type: dict
    suboptions:
      host:
        description: Name of the server.
        type: str
        required: true
      port:
        description: Port.
        type: int
        required: true
      tls:
        description: Encrypt from the start.
        type: bool
        default: false
      starttls:
        description: Whether to encrypt by STARTTLS.
        type: str
        choices: [always, auto, never]
        default: always
      method:
        description: How to log in.
        type: str
        choices: [plain, login, cram_md5]
        default: plain
      verify:
        description: Whether the certificate has to be valid.
        type: bool
        default: true
  wait_timeout:
    description: How many seconds servers may take.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Prepare a new password of the cache
  fediverse.mastodon.secret_rotation:
    step: prepare
    namespace: mastodon
    name: mastodon
    secret: redis
    path: mastodon/example.org/redis
    keys: [password]
    generate:
      password: {format: password, length: 32}
    fingerprint_key: mastodon/example.org/fingerprint
    redis:
      host: mastodon-redis.mastodon.svc
      namespace: mastodon
      name: mastodon-redis
"""

RETURN = r"""
state:
  description: How far it is, V(planned), V(prepared), V(promoted) or V(done).
  returned: success
  type: str
  sample: prepared
change:
  description: Which value becomes which, by fingerprints.
  returned: success
  type: str
  sample: password 0f8b3c1d2e4a → 9a7c5e3b1d0f
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.secret_rotation import TASK

if __name__ == "__main__":
    main(TASK)
