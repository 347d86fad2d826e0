# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of this run in commands for people to type next, in place of the one of the documents."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible import constants, context

_OF_DOCUMENTS = "-i inventories/mine "


def with_inventory(value: Any) -> Any:
    """Return `value`, a result or a text, whose commands name this run's inventory; none where Ansible's own configuration does."""
    options = "".join(f"-i {_typed(path)} " for path in _given())
    return value if options == _OF_DOCUMENTS else _named(value, options)


def _given() -> Sequence[str]:
    given = context.CLIARGS.get("inventory")
    if given is None:
        # Not by `ansible-playbook`: whoever runs it knows better.
        return ["inventories/mine"]
    return [] if list(given) == constants.config.get_config_value("DEFAULT_HOST_LIST") else list(given)


def _typed(path: str) -> str:
    """Return a path as it is typed here; ansible-playbook makes each absolute."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else path
    return path if relative.startswith("..") else relative


def _named(value: Any, options: str) -> Any:
    if isinstance(value, str):
        return value.replace(_OF_DOCUMENTS, options) if _OF_DOCUMENTS in value else value
    if isinstance(value, Mapping):
        return {key: _named(item, options) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, options) for item in value]
    return value
