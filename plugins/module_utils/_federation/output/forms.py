# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All forms of a report that files are written in. They are made of one structure, which is what the one of JSON holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.changes import earlier
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.junit import junit
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.page import page
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.prometheus import prometheus
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError

# What stands in the head of a report, and of nothing else.
_SIGNS = {
    "html": b"<title>Federation of ",
    "junit": b'<testsuites name="federation"',
    "prometheus": b"# HELP federation_check_",
}
_HEAD = 1000


def as_json(report: Mapping[str, Any]) -> str:
    """Return the report as an earlier one is read."""
    return json.dumps(report, indent=1) + "\n"


FORMS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "html": page,
    "json": as_json,
    "junit": junit,
    "prometheus": prometheus,
}


def is_report(form: str, content: bytes) -> bool:
    """Whether a file holds a report of this form."""
    if form in _SIGNS:
        return _SIGNS[form] in content[:_HEAD]
    try:
        earlier(content)
    except WrongShapeError:
        return False
    return True
