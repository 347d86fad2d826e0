# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects from YAML text. This plugin util is PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


# Safe, fast where libyaml is there, and leaving dates as text: Kubernetes has no dates.
_LOADER = type(
    "_Loader",
    (yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader,),
    {
        "yaml_implicit_resolvers": {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }
    },
)


def parse(text: str, source: str) -> list[Any]:
    """Return the documents of `text`, empty ones left out.

    Raises MastodonError that says where, but does not quote: it may be a secret.
    """
    try:
        return [document for document in yaml.load_all(text, Loader=_LOADER) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise MastodonError(source, "is not valid YAML", f"{where}{error.problem}", "Correct it.") from error
    except yaml.YAMLError as error:
        raise MastodonError(source, "is not valid YAML", type(error).__name__, "Correct it.") from error
