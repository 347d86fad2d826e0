# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens encrypted rows, with the keys that Vault has now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.encrypted import Opener, Row, faults
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.mastodon_database import Reader
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

# Of the rows that cannot be opened.
_SHOWN = 5


def opener_of(parameters: Mapping[str, Any], run: Run) -> Opener:
    """Return what opens encrypted rows with the keys that Vault has now. Raises MastodonError when one is missing."""
    return opener_at(vault.connect(parameters, run.environment), parameters["mount"], parameters["path"])


def opener_at(server: vault.Vault, mount: str, path: str) -> Opener:
    """Return it, by a path of a Vault that is connected to already. Raises MastodonError when one is missing."""
    stored = kv.read(server, mount, path)
    keys = [stored.data.get(name, "") for name in ("are-primary-key", "are-derivation-salt")]
    if not all(keys):
        failed = "has no are-primary-key and are-derivation-salt"
        why = "nothing that is encrypted in the database could be read"
        raise MastodonError(f"Vault path {mount}/{path}", failed, why, "Restore Vault first.")
    return Opener(*keys)


def opened_rows(reader: Reader, opener: Opener) -> tuple[str, list[str]]:
    """Return how many rows of each column could be opened, and what is wrong with the others."""
    counts: dict[str, int] = {}
    wrong: dict[tuple[str, str], list[int]] = defaultdict(list)
    for column, rows in reader.encrypted():
        counts[column] = counts.get(column, 0) + len(rows)
        for what, number in faults(opener, (Row(*row) for row in rows)):
            wrong[column, what].append(number)
    problems = [
        f"{len(ids)} of {counts[column]} rows of {column} {what} (id {', '.join(map(str, ids[:_SHOWN]))})"
        for (column, what), ids in wrong.items()
    ]
    return ", ".join(f"{count} of {column}" for column, count in counts.items()) or "none is there", problems
