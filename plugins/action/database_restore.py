# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In-process entry point; plugins/modules/database_restore.py documents it."""

from __future__ import annotations

from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.database_restore import TASK
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    """Runs in the controller's process."""

    runs = TASK
