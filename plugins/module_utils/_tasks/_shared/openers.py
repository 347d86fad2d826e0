# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What opens encrypted rows, with the keys that Vault has now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv


def opener_of(parameters: Mapping[str, Any], run: Run) -> Opener:
    """Return what opens encrypted rows with the keys that Vault has now. Raises MastodonError when one is missing."""
    stored = kv.read(vault.connect(parameters, run.environment), parameters["mount"], parameters["path"])
    keys = [stored.data.get(name, "") for name in ("are-primary-key", "are-derivation-salt")]
    if not all(keys):
        failed = "has no are-primary-key and are-derivation-salt"
        why = "nothing that is encrypted in a restored database could be read"
        raise MastodonError(
            f"Vault path {parameters['mount']}/{parameters['path']}", failed, why, "Restore Vault first."
        )
    return Opener(*keys)
