#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: account
short_description: Make the owner's account of a Mastodon once
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - Runs C(tootctl accounts create) in a web pod, confirmed and approved, and keeps the password in Vault or OpenBao.
  - That path is entered by check-and-set before the account is made, so that an interrupted run is finished by the next one.
  - An account that somebody made under that name in between is refused. Its mail address says whose it is, for which only then the database is asked.
  - An account that was there before is left as it is. One whose password is in Vault is not looked at again.
  - An entry at that path which was not made by this module for this account is refused; nothing is overwritten and no password reset.
  - The password is never returned, printed or put on a command line, nor is anything else that C(tootctl) prints when it makes one.
  - In check mode no pod is asked; the account counts as missing as long as Vault has no password for it.
requirements:
  - pg8000 >= 1.31.6
  - redis >= 5.2.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.subject.release
  - fediverse.mastodon.attributes
options:
  username:
    description: Account name, without the domain.
    type: str
    required: true
  email:
    description: Address to sign in with.
    type: str
    required: true
  role:
    description: Its role.
    type: str
    default: Owner
  path:
    description: Path below the mount that keeps C(username), C(email) and C(password).
    type: str
    required: true
  database:
    description: Mastodon's database, past a pooler.
    type: dict
    required: true
    suboptions:
      host:
        description: Where it is.
        type: str
        required: true
      port:
        description: Its port.
        type: int
      username:
        description: User to log in as.
        type: str
        default: mastodon
      database:
        description: Its name.
        type: str
        default: mastodon
      path:
        description: Path of Vault with its C(password).
        type: str
        default: ""
      sslmode:
        description: How to speak with it, as O(fediverse.mastodon.launch_check#module:postgresql.sslmode) explains.
        type: str
        choices: [prefer, require, verify-full, disable]
        default: require
"""

EXAMPLES = r"""
- name: Make the owner's account once
  fediverse.mastodon.account:
    namespace: mastodon
    name: mastodon
    username: alice
    email: alice@example.org
    path: mastodon/example.org/admin
    database:
      host: mastodon-db-rw.mastodon.svc
      port: 5432
      path: mastodon/example.org/postgresql
      sslmode: prefer
"""

RETURN = r"""
action:
  description: V(created), V(adopted) for one that was there before, or V(unchanged).
  returned: success
  type: str
  sample: created
path:
  description: Where the password is, mount included.
  returned: success
  type: str
  sample: secret/mastodon/example.org/admin
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.account import TASK

if __name__ == "__main__":
    main(TASK)
