# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task waits for before it does anything."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  depends_on:
    description:
      - Objects that must be ready before anything is done, such as those that an earlier task applied without waiting for them. One that
        failed ends the task at once, and so does one that does not exist once the others, which may make it, are ready. In check mode
        they are not looked at, as nothing was applied.
    type: list
    elements: dict
    default: []
    suboptions:
      api_version:
        description:
          - Group and version, such as V(helm.toolkit.fluxcd.io/v2). Without it the kind is looked for by its name alone.
        type: str
      kind:
        description: Kind, such as V(HelmRelease), or its plural or short name, as kubectl takes them.
        type: str
        required: true
      namespace:
        description: Namespace.
        type: str
      name:
        description: Name.
        type: str
        required: true
"""
