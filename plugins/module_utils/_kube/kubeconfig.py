# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfig files, read as kubectl reads them.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import yaml


@dataclass(frozen=True)
class Document:
    """One kubeconfig, and the folder that its relative paths start from."""

    content: Mapping[str, Any]
    folder: Path


def parse(text: str, called: str, folder: Path) -> Document:
    """Read a kubeconfig. `called` names it in errors. Raises AccessError, which shows none of its text."""
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 both are safe
    except yaml.MarkedYAMLError as error:
        # Its own text shows the line, in which a token may stand.
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise AccessError(f"{called} is not YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise AccessError(f"{called} is not YAML") from error
    return document_of(document, called, folder)


def document_of(content: Any, called: str, folder: Path) -> Document:
    """Return the content of a kubeconfig as one. Raises AccessError, which shows none of it."""
    if not isinstance(content, Mapping):
        raise AccessError(f"{called} is {'empty' if content is None else 'not a mapping'}")
    if (content.get("apiVersion") or "v1", content.get("kind") or "Config") != ("v1", "Config"):
        raise AccessError(f"{called} is not a kubeconfig, but of another kind or version")
    return Document(content, folder)


def chosen(documents: Sequence[Document], context: str) -> tuple[Entry, Entry]:
    """Return cluster and user of `context`, by default the current one. Raises AccessError."""
    merged = _Merged(documents)
    of_context = merged.entry("context", context or merged.current_context())
    cluster = merged.entry("cluster", of_context.text("cluster"))
    name = of_context.text("user")
    return cluster, merged.entry("user", name) if name else Entry({}, cluster.folder)


class _Merged:
    """Several files as one: of what more than one of them says, the first counts."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents

    def current_context(self) -> str:
        named = [found for document in self._documents if (found := document.content.get("current-context"))]
        if not named:
            raise AccessError("it has no current-context")
        return str(named[0])

    def entry(self, kind: str, name: str) -> Entry:
        """Return the entry of `contexts`, `clusters` or `users`."""
        for document in self._documents:
            found = [
                item
                for item in document.content.get(f"{kind}s") or []
                if isinstance(item, dict) and item.get("name") == name and isinstance(item.get(kind), dict)
            ]
            if len(found) > 1:
                raise AccessError(f"it has two {kind}s {name}")
            if found:
                return Entry(found[0][kind], document.folder)
        raise AccessError(f"it has no {kind} {name}")
