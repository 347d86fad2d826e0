# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that get objects by kind, name and labels."""

from __future__ import annotations

_KIND = r"""
      api_version:
        description:
          - Group and version, such as V(helm.toolkit.fluxcd.io/v2). Without it the kind is looked for by its name alone.
        type: str
      kind:
        description: Kind, such as V(HelmRelease), or its plural or short name, as kubectl takes them.
        type: str
        required: true
"""
_NAMED = rf"""
    type: list
    elements: dict
    suboptions:
{_KIND}
      namespace:
        description: Namespace. Kinds that belong to none have none.
        type: str
      name:
        description: Name.
        type: str
        required: true
"""


class ModuleDocFragment:
    """Ansible's way in."""

    # Whichever there are.
    SELECTED: str = rf"""
options:
  objects:
    type: list
    elements: dict
    required: true
    suboptions:
{_KIND}
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

    # One by one.
    NAMED: str = rf"""
options:
  objects:
{_NAMED}
"""

    # What a task waits for before it does anything.
    DEPENDS_ON: str = rf"""
options:
  depends_on:
    description:
      - Objects that must be ready before anything is done, such as those that an earlier task applied without waiting for them. One that
        failed ends the task at once, and so does one that does not exist once the others, which may make it, are ready. In check mode
        they are not looked at, as nothing was applied.
    default: []
{_NAMED}
"""
