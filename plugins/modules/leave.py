#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: leave
short_description: Ask a Mastodon what makes it leave the federation, or how far it is
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Runs C(tootctl self-destruct) in a web pod and answers what it asks. That changes nothing; it prints what E(SELF_DESTRUCT) has to be, with
    which Mastodon suspends its accounts and notifies every server that knows them. Nobody can take that back.
  - Before it has begun, refuses a Mastodon in which it would never end, as no Sidekiq works on the queue C(scheduler), or as Redis is more than
    half full.
  - Once it has begun, returns how far it is, and waits for its end when asked to.
  - In check mode it waits for nothing.
requirements:
  - redis >= 5.2.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.subject.release
  - fediverse.mastodon.attributes
options:
  local_domain:
    description: Its domain, which C(tootctl) asks for.
    type: str
    required: true
  redis_host:
    description: Host of the server that keeps its jobs.
    type: str
    required: true
  redis_port:
    description: Port of the server that keeps its jobs.
    type: int
    default: 6379
  redis_secret:
    description: Secret in O(namespace) with the C(password) of that server.
    type: str
    required: true
  wait:
    description: Whether to wait until every server is notified, once it has begun.
    type: bool
    default: false
  wait_timeout:
    description: Seconds to wait at most.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Get what makes it leave
  fediverse.mastodon.leave:
    namespace: mastodon
    name: mastodon
    local_domain: example.org
    redis_host: mastodon-cache
    redis_secret: mastodon-cache
  register: mastodon_left
"""

RETURN = r"""
value:
  description: What E(SELF_DESTRUCT) has to be. Empty once it has begun.
  returned: success
  type: str
  sample: Im1hc3RvZG9uLmV4YW1wbGUi--0f1e2d3c
progress:
  description: How far it is, in words.
  returned: success
  type: str
  sample: 40 accounts are still to be deleted
left:
  description: Whether every server is notified.
  returned: success
  type: bool
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.leave import TASK

if __name__ == "__main__":
    main(TASK)
