# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load before Ansible forks what each of its forks would load for itself.

Ansible forks for every task, and looks for filters, tests and lookups when the first template of a process asks for one.
"""

from __future__ import annotations

import gc
from contextlib import suppress

from ansible.errors import AnsibleError
from ansible.template import Templar, trust_as_template

# One of each type, as Ansible loads all of a type that are in one place: its own, and the collection's.
_ONE_OF_EACH = (
    "{{ lookup('ansible.builtin.env', 'HOME') is match('/') | string, {} | fediverse.mastodon.chart_secrets }}"
)


def warm() -> None:
    """Load them, and hide them, too."""
    # Whoever has no such plugin is informed by the task that needs it.
    with suppress(AnsibleError):
        Templar(loader=None).template(trust_as_template(_ONE_OF_EACH))
    hide()


def hide() -> None:
    """Hide all that is loaded by now from garbage collectors.

    Each fork's would look at it, which copies the memory that it lies in, and that of Ansible once more at its end, which takes longer
    than a task. What is frozen is not looked at: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.freeze()
