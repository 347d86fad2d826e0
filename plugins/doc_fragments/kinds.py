# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task stands on."""

from __future__ import annotations


class ModuleDocFragment:
    """Ansible's way in."""

    DOCUMENTATION = r"""
options:
  kinds:
    description:
      - Kinds that the cluster must serve before anything is done. In check mode a missing one is reported and is not a failure, as what
        comes before would have brought it.
    type: list
    elements: dict
    default: []
    suboptions:
      api_version:
        description: Group and version, such as V(helm.toolkit.fluxcd.io/v2).
        type: str
        required: true
      kind:
        description: Kind, such as V(HelmRelease).
        type: str
        required: true
      provided_by:
        description: Tag of this collection's C(site) playbook that installs it. Empty when none does.
        type: str
        default: ""
"""
