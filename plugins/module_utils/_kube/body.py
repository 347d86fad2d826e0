# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a request: JSON that is YAML too, as the API server reads the bodies of server-side apply as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# A patch may be a list of operations.
Body: TypeAlias = list[dict[str, Any]] | Mapping[str, Any]
# YAML has no escape for half of a surrogate pair, so that characters go as they are; but for those that it does not allow
# in a text, or reads as a line's end: https://yaml.org/spec/1.2.2/#51-character-set
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def encode(body: Body, about: str) -> bytes:
    """Return `body` as the API server reads it, whatever type it is given. Raises MastodonError for what JSON cannot say."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
        return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    except UnicodeEncodeError as error:
        why = "a text in it has half of a surrogate pair, which is not a character"
        raise MastodonError(about, "cannot be sent", why, "Correct that text.") from error
    except (TypeError, ValueError) as error:
        raise MastodonError(about, "cannot be sent", _unsayable(error), "Correct that value.") from error


def _unsayable(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "it holds a number that JSON does not have, such as infinity"
    return f"it holds what JSON does not have: {error}"
