#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_check
short_description: Refuse a Redis-compatible server that would throw jobs away
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks the server of its version and of its maxmemory-policy, and changes nothing.
  - Fails when it is older than Redis 6.2, when it evicts keys, and when it does not accept the password.
  - One that is yours is also refused when it speaks TLS only, as the official chart has no way to configure Mastodon for it. It is asked for that
    before it is sent the password.
  - A server inside the cluster, C(name.namespace.svc), is asked through the API server, as C(kubectl port-forward) does. One outside
    that cannot be reached from here is reported as skipped, as pods may have a way to it.
requirements:
  - redis >= 5.2.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.objects.depends_on
  - fediverse.mastodon.server
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.attributes
options:
  port:
    description: Its port.
    type: int
    default: 6379
  secret_name:
    description: Secret with C(password).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check the cache that Mastodon's jobs will be in
  fediverse.mastodon.redis_check:
    host: redis.example.org
    secret_namespace: mastodon
    secret_name: mastodon-redis
"""

RETURN = r"""
verdict:
  description: V(passed), or V(skipped) when the server could not be asked.
  returned: success
  type: str
  sample: passed
result:
  description: What was found well, or why it could not be asked.
  returned: success
  type: str
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.redis_check import TASK

if __name__ == "__main__":
    main(TASK)
