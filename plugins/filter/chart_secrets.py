# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Secrets that values of a chart name."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chart_secrets
author: fediverse.mastodon contributors
version_added: 0.1.0
short_description: Names of the Secrets in values of a chart
description:
  - Returns what stands at C(existingSecret) anywhere in the values, each name once.
options:
  _input:
    description: Values of the chart.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which Secrets Mastodon is to get beside ours
  ansible.builtin.debug:
    msg: "{{ mastodon_values | fediverse.mastodon.chart_secrets }}"
"""

RETURN = r"""
_value:
  description: The names, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._chart_pods import secrets


class FilterModule:
    """Ansible's way in."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filters by name."""
        return {"chart_secrets": secrets}
