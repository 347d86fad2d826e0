# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests from a URL or a file on the controller."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.download import fetch


def content(manifest: Mapping[str, Any], path: str | None) -> str:
    """Return the text of one entry of the option `manifests`; `path` is where its file was found.

    Raises MastodonError when it can't be had, or is not what its checksum says.
    """
    url = manifest.get("url")
    source = f"Manifest {url or path}"
    expected = (manifest.get("checksum") or "").removeprefix("sha256:").lower()
    data = fetch(url, source, moves=bool(expected)) if url else _read(path or "", source)
    found = hashlib.sha256(data).hexdigest()
    if expected and expected != found:
        raise MastodonError(source, "is not the expected file", f"its sha256 is {found}", "Check source and checksum.")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MastodonError(source, "is not text", str(error.reason), "Check the address.") from error


def without_labels(documents: Iterable[Any], labels: Sequence[str]) -> list[Any]:
    """Return the documents, with those labels left out of their metadata."""
    return [_without(document, labels) for document in documents]


def _without(document: Any, labels: Sequence[str]) -> Any:
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("labels"), Mapping):
        return document
    kept = {name: value for name, value in metadata["labels"].items() if name not in labels}
    return {**document, "metadata": {**metadata, "labels": kept}}


def _read(path: str, source: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MastodonError(source, "cannot be read", error.strerror or "", "Check its owner and mode.") from error
