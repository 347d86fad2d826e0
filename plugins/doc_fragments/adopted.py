# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the prerequisites that are used as others installed them."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  adopted:
    description:
      - Controllers that somebody else installed. They must run and be new enough. They are found by the names of their images; one that is
        not found is reported as such.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: How it is called in what is reported.
        type: str
        required: true
      image:
        description: How the path of its image ends, whatever registry it comes from.
        type: str
        required: true
      oldest:
        description: The first release that does what is asked of it, such as V(1.26). Without it, each that serves its kinds.
        type: str
  nodes:
    description: Nodes whose disks Ceph may take, which must exist.
    type: list
    elements: str
    default: []
"""
