#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_check
short_description: Refuse a PostgreSQL server that Mastodon cannot use
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Asks the server of its version, and of the database's encoding and the user's rights, and changes nothing.
  - Fails when it is older than PostgreSQL 14, when the database is not encoded in UTF8, when the user cannot log in or not create
    tables, and when it does not speak as O(sslmode) says.
  - A server inside the cluster, C(name.namespace.svc), is asked through the API server, as C(kubectl port-forward) does. One outside
    that cannot be reached from here is reported as skipped, as pods may have a way to it.
requirements:
  - pg8000 >= 1.31.6
  - requests >= 2.32.2
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
    default: 5432
  database:
    description: Database that the user owns.
    type: str
    default: mastodon
  sslmode:
    description:
      - V(require) encrypts, V(verify-full) also wants a certificate of a public authority for O(host). No password is sent to a server that
        does not.
      - V(disable) never encrypts, and V(prefer) does where the server can.
    type: str
    choices: [prefer, require, verify-full, disable]
    default: require
  secret_name:
    description: Secret with C(username) and C(password).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check the database that Mastodon's data will be in
  fediverse.mastodon.postgresql_check:
    host: db.example.org
    secret_namespace: mastodon
    secret_name: mastodon-db-owner
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
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.postgresql_check import TASK

if __name__ == "__main__":
    main(TASK)
