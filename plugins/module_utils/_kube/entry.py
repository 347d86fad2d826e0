# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster, user or context of a kubeconfig, wherever it comes from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError, text_of


@dataclass(frozen=True)
class Entry:
    """What is said of it, by kubeconfig's keys, and the folder that its relative paths start from."""

    content: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def text(self, key: str) -> str:
        """Return the value of `key`, empty when it is not set."""
        value = self.content.get(key)
        if value is not None and not isinstance(value, str):
            raise AccessError(f"{key} is not text")
        return value or ""

    def flag(self, key: str) -> bool:
        """Return whether `key` is true. Text is refused: what says "false" would be taken for true."""
        value = self.content.get(key)
        if value is not None and not isinstance(value, bool):
            raise AccessError(f"{key} is neither true nor false")
        return bool(value)

    def texts(self, key: str) -> list[str]:
        """Return the list `key` of texts, empty when it is not set."""
        value = self.content.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise AccessError(f"{key} is not a list of texts")
        return list(value)

    def pem(self, key: str) -> str:
        """Return the certificate or key that lies in `<key>-data` or else in the file that `key` names."""
        encoded = self.text(f"{key}-data")
        if not encoded:
            return self.file(key)
        try:
            return base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise AccessError(f"{key}-data is not base64 of a PEM file") from error

    def file(self, key: str) -> str:
        """Return the content of the file that `key` names, empty when it names none."""
        name = self.text(key)
        if not name:
            return ""
        path = self.folder / Path(name).expanduser()
        return text_of(path, f"{key} {path}")

    def having(self, **changes: Any) -> Entry:
        """Return it with these values, None for what is taken away. Dashes of keys are written as underscores."""
        changed = {key.replace("_", "-"): value for key, value in changes.items()}
        kept = {**self.content, **changed}
        return Entry({key: value for key, value in kept.items() if value is not None}, self.folder)
