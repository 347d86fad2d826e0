# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects from YAML text."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._yaml import documents


def parse(text: str, source: str) -> list[Any]:
    """Return the documents of `text`, empty ones left out.

    Raises MastodonError that says where, but does not quote: it may be a secret.
    """
    try:
        return [document for document in documents(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise MastodonError(source, "is not valid YAML", f"{where}{error.problem}", "Correct it.") from error
    except yaml.reader.ReaderError as error:
        raise MastodonError(source, "is not valid YAML", _where(text, error), "Correct it.") from error
    except yaml.YAMLError as error:
        raise MastodonError(source, "is not valid YAML", type(error).__name__, "Correct it.") from error


def _where(text: str, error: yaml.reader.ReaderError) -> str:
    # libyaml counts in bytes.
    before = text.encode(errors="replace")[: error.position].decode(errors="ignore")
    return f"line {before.count(chr(10)) + 1}: it has a character that YAML takes only as an escape in double quotes"
