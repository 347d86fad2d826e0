# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say of what a module is: one Mastodon, or one database."""

from __future__ import annotations

_SUBJECT = r"""
options:
  namespace:
    description: Namespace of the {kind}.
    type: str
    required: true
  {option}:
    description: Name of the {kind}{which}.
    type: str
    required: true
"""


class ModuleDocFragment:
    """Ansible's way in."""

    RELEASE: str = _SUBJECT.format(option="name", kind="Helm release", which="")

    # Of CloudNativePG.
    CLUSTER: str = _SUBJECT.format(option="cluster", kind="Cluster", which="")

    # The same where a restore may have made another one beside it.
    FIRST: str = _SUBJECT.format(option="cluster", kind="Cluster", which=" in the settings, which is that of the first")
