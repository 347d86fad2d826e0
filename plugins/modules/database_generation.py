#!/usr/bin/python
# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and remote entry point."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_generation
short_description: Find which Cluster is the database of a Mastodon
version_added: 0.1.0
author: fediverse.mastodon contributors (@fediverse)
description:
  - A database is never restored over another one, so that a Mastodon which was restored has another Cluster than the one that its settings
    name. ConfigMap C(CLUSTER-generation) keeps which.
  - Fails while a restore has not ended, unless it is asked by that. Changes nothing.
extends_documentation_fragment:
  - fediverse.mastodon.kubernetes
  - fediverse.mastodon.subject.first
  - fediverse.mastodon.attributes
attributes:
  diff_mode:
    support: none
options:
  restoring:
    description: Whether it is asked by what restores it.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Find which Cluster is Mastodon's database
  fediverse.mastodon.database_generation:
    namespace: mastodon
    cluster: mastodon-db
"""

RETURN = r"""
place:
  description: What was asked for, as namespace and name.
  returned: success
  type: str
  sample: mastodon/mastodon-db
current:
  description: Name of the Cluster that is the database, or is about to be.
  returned: success
  type: str
  sample: mastodon-db-2
former:
  description: Name of the one before it. Empty where none was restored.
  returned: success
  type: str
  sample: mastodon-db
restoring:
  description: Whether a restore has begun and has not ended.
  returned: success
  type: bool
  sample: false
"""

from ansible_collections.fediverse.mastodon.plugins.module_utils._module import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.database_generation import TASK

if __name__ == "__main__":
    main(TASK)
