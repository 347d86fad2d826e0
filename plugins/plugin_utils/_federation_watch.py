# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that looks at an instance, as a ConfigMap holds it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._federation_program import program


def content(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the program and its options."""
    return {
        "binaryData": {"federation-check.pyz": base64.b64encode(program()).decode()},
        "data": {"options.json": json.dumps(options, indent=1, sort_keys=True)},
    }
