# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one size to every number, for the roles and for anybody's playbook."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sizing
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Every number of a Mastodon, from one size
description:
  - Works out replicas, threads, database connections, PostgreSQL's parameters and memory, and whether a connection pooler is wanted,
    from the size and what you set yourself. See U(https://docs.joinmastodon.org/admin/scaling/) for the rules.
  - Refuses, in one sentence, settings that do not add up, such as fewer connections than threads, or two schedulers.
options:
  _input:
    description:
      - The settings by name. V(mastodon_size) is one of V(minimal), V(small), V(medium) and V(large); those that are absent,
        null or empty follow from it.
      - V(mastodon_web_replicas), V(mastodon_web_max_replicas), V(mastodon_web_processes), V(mastodon_web_threads),
        V(mastodon_streaming_replicas), V(mastodon_streaming_connections), V(mastodon_sidekiq_workers), V(mastodon_values),
        V(cnpg_cluster_instances), V(cnpg_cluster_memory), V(cnpg_cluster_storage_size), V(cnpg_cluster_parameters),
        V(cnpg_backend), V(cnpg_pooler), V(cnpg_pooler_instances), V(cnpg_pooler_parameters), V(dragonfly_backend), V(dragonfly_threads)
        and V(dragonfly_memory) override parts of it. Others are passed over.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what a medium Mastodon takes, and why
  ansible.builtin.debug:
    msg: "{{ ({'mastodon_size': 'medium'} | fediverse.mastodon.sizing).arithmetic }}"
"""

RETURN = r"""
_value:
  description:
    - V(values), Helm values of the official chart for web, streaming and Sidekiq, with requests and limits.
    - V(web) with C(replicas) and C(max_replicas), the bounds of scaling.
    - V(postgresql) with C(instances), C(storage), C(parameters) and C(resources).
    - V(pooler) with C(instances) and C(parameters), or empty when none is wanted.
    - V(cache) with C(memory), the limit of a Dragonfly.
    - V(media_copy) with C(memory), the limit of what copies media.
    - V(arithmetic), the lines that led there.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size


def sizing(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return every number. Raises AnsibleFilterError with the sentence that says what does not add up."""
    try:
        return size(settings)
    except MastodonError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filters by name."""
        return {"sizing": sizing}
