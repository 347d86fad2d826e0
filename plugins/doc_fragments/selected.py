# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that select objects by kind, name and labels."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  objects:
    type: list
    elements: dict
    required: true
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
        description: Namespace. Without it and without O(objects[].name), all namespaces.
        type: str
      name:
        description: Name. Without it, all of the kind.
        type: str
      label_selector:
        description: Labels that objects must have, in the API server's format, such as V(app=web,tier!=test).
        type: str
"""
