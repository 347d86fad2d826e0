# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote entry point of every engine: what each module ends with."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, unforeseen, way_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run, Task


def main(task: Task) -> None:
    """Run `task` as a module on the target. What it says comes back under `messages`, for the action to show."""
    module = AnsibleModule(supports_check_mode=True, **task.arguments.spec())
    messages: list[str] = []
    run = Run(check=module.check_mode, diff=module._diff, say=messages.append, environment=os.environ)
    try:
        result = task.engine(module.params, run)
    except MastodonError as error:
        module.fail_json(msg=str(error), messages=messages)
    except Exception as error:
        message = unforeseen(f"Module {module._name}", error)
        module.fail_json(msg=str(message), messages=messages, exception=way_of(error))
    module.exit_json(messages=messages, **result)
