#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_restore
short_description: Restore the database of a Mastodon that lives, step by step
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - What playbook C(restore) does beside what roles install. ConfigMap C(CLUSTER-generation) keeps how far it is, written as it was read and
    no other way, so that the same step can be taken again by whoever goes on after a run was killed.
  - A database is never restored over another one. The former Cluster is hibernated, and never deleted.
  - With O(major) playbook C(database_major) takes the same steps to import the database into a new Cluster of another major of PostgreSQL.
    The former Cluster is then hibernated only once the new one was compared with it.
  - Once the newest was restored, the same is asked for again after an hour only; a time that was restored to is never restored to again.
requirements:
  - pg8000 >= 1.31.6
  - dnspython >= 2.6.1
  - redis >= 5.2.0
  - requests-aws4auth >= 1.3.0
  - websocket-client >= 1.8.0
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.vault.kv
  - fediverse.mastodon.subject.first
  - fediverse.mastodon.restored_database.login
  - fediverse.mastodon.beginning.nested
  - fediverse.mastodon.attributes
attributes:
  diff_mode:
    support: none
options:
  state:
    description:
      - V(begun) refuses what must not be restored, decides what the next Cluster is called, and keeps that.
      - V(switched) hibernates the former Cluster once Mastodon was stopped, and wakes the other one if it goes back. One that is imported from
        only loses its poolers and schedules.
      - V(emptied) throws away what is queued and cached, once; after an import, by which no row is lost, it hibernates the former Cluster.
      - V(ended) returns once there is a backup of the new Cluster, and says what may be deleted when.
      - V(stopped) keeps of what it stopped, and always fails.
    type: str
    choices: [begun, switched, emptied, ended, stopped]
    default: begun
  domain:
    description: Local domain, for commands that are printed.
    type: str
    required: true
  at:
    description: Time to restore to, with its time zone. As late as the archive goes when empty.
    type: str
    default: ""
  back:
    description: Name of the former Cluster, to go back to it instead of restoring a backup.
    type: str
    default: ""
  major:
    description: Whether it is imported by O(image), which has another major of PostgreSQL, instead of restoring a backup.
    type: bool
    default: false
  image:
    description: Image that the settings have for the database.
    type: str
    default: ""
  storage:
    description: Size of a volume of the new Cluster, where it is imported.
    type: str
    default: ""
  unrehearsed:
    description:
      - Whether it may be restored without a rehearsal of the same within the hour, or one that does not run; or imported without a rehearsal
        of that within a day.
    type: bool
    default: false
  mastodon:
    description: Name of Mastodon's release.
    type: str
    required: true
  mastodon_namespace:
    description: Namespace of Mastodon's release.
    type: str
    required: true
  version:
    description: Image tag of the Mastodon that is to run on it. It must be one that may follow the release of the schema that was rehearsed.
    type: str
    default: ""
  run:
    description: >-
      What V(begun) returned as C(run), for all other states. When another run has begun, or goes on, since then, this one is refused.
    type: str
    default: ""
  login_path:
    description: Path below the mount with the owner's password, and C(password-next) while that is replaced.
    type: str
    required: true
  beginning:
    description: Where backups are, to find a name that is free; M(fediverse.mastodon.database_beginning) has the same options.
  redis:
    description: Server with queues and caches.
    type: dict
    suboptions:
      host:
        description: Its address.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 6379
      secret_namespace:
        description: Namespace of the Secret with its C(password).
        type: str
        required: true
      secret_name:
        description: Name of that Secret.
        type: str
        required: true
      namespace:
        description: Namespace of the Dragonfly that it is, if one was made here.
        type: str
        default: ""
      name:
        description: Name of the Dragonfly. Each of its pods then writes a snapshot, so that none begins from one of before.
        type: str
        default: ""
  why:
    description: Of what it stopped.
    type: str
    default: ""
  wait_timeout:
    description: How many seconds a step may take.
    type: int
    default: 7200
"""

EXAMPLES = r"""
- name: Begin the restore
  fediverse.mastodon.database_restore:
    namespace: mastodon
    cluster: mastodon-db
    database: mastodon
    owner: mastodon
    secret: mastodon-db-owner
    domain: example.org
    at: "2026-11-29T03:00:00Z"
    mastodon: mastodon
    mastodon_namespace: mastodon
    login_path: mastodon/example.org/postgresql
"""

RETURN = r"""
restore:
  description: Whether there is anything to do.
  returned: success
  type: bool
  sample: true
current:
  description: Name of the Cluster that is the database afterwards.
  returned: success
  type: str
  sample: mastodon-db-2
former:
  description: Name of the one before it.
  returned: success
  type: str
  sample: mastodon-db
restored_from:
  description: Folder in the bucket whose backup it is restored from. Empty for one that goes back or is imported.
  returned: success
  type: str
  sample: mastodon-db
asked:
  description: Time that it is restored to. Empty for the newest.
  returned: success
  type: str
  sample: "2026-11-29T03:00:00Z"
back:
  description: Whether it goes back to a Cluster that was there before, as V(true) or empty.
  returned: success
  type: str
  sample: ""
base:
  description: Name of the Backup that it begins from. Empty where no object of it is left.
  returned: success
  type: str
  sample: mastodon-db-20261129030000
suspended:
  description: Whether its ScheduledBackup is to be suspended again, as the former one was, as V(true) or empty.
  returned: success
  type: str
  sample: ""
run:
  description: What tells this run from others that begin, or go on, later.
  returned: success
  type: str
  sample: 0f8fad5bd9cb469fa16570867728950e
image:
  description: Image by which it is imported. Empty for one that is not.
  returned: success
  type: str
  sample: ""
began:
  description: When it began.
  returned: success
  type: str
  sample: "2026-11-29T13:01:00Z"
ended:
  description: When it ended. Empty as long as it has not.
  returned: success
  type: str
  sample: "2026-11-29T13:07:00Z"
emptied:
  description: When queues and caches were emptied, or the former Cluster was let go of after an import. Empty as long as they were not.
  returned: success
  type: str
  sample: "2026-11-29T13:04:00Z"
seconds:
  description: How long it took.
  returned: success
  type: str
  sample: "360"
failure:
  description: Of what the last run of it stopped.
  returned: success
  type: str
  sample: ""
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.database_restore import TASK

if __name__ == "__main__":
    main(TASK)
