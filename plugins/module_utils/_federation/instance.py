# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document in which Mastodon describes itself to apps. It has no page of its own: checks read it for what they compare."""

from __future__ import annotations

from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Scene
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.visitor import NoAnswerError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, parsed
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at


def address(scene: Scene) -> str:
    """Return where it is."""
    return f"https://{scene.target.host}/api/v2/instance"


def said(scene: Scene, path: str) -> str:
    """Return a text at a dotted path of it, empty where there is none, as with limited federation."""
    try:
        content: Any = parsed(scene.fetch(address(scene)).reply.body)
    except (NoAnswerError, WrongShapeError):
        return ""
    return str(at(content, path, ""))
