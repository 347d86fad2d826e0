# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods of our own beside the official chart's."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chart_pod
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Template of a pod that runs once in Mastodon's image
description:
  - Returns the template of a pod for a Job or CronJob with what the official chart gives Sidekiq's pods by the same values, such as image,
    pull secrets, place, security context, environment and logins, but for mail's.
options:
  _input:
    description: Values of the chart, all logins by C(existingSecret).
    type: dict
    required: true
  fullname:
    description: What the chart calls what belongs to the release.
    type: str
    required: true
  container:
    description: The rest of the container, such as C(name), C(command) and C(resources).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Make a Job of our own
  ansible.builtin.set_fact:
    template: >-
      {{ values | fediverse.mastodon.chart_pod('mastodon', {'name': 'tootctl', 'command': ['tootctl', 'media', 'usage']}) }}
"""

RETURN = r"""
_value:
  description: The template, with C(metadata) and C(spec).
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._chart_pods import pod_template


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filters by name."""
        return {"chart_pod": pod_template}
