# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that users copy."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._sizing.size import size
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load, misspelt, unset
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.values import wrong

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "inventories/example/group_vars/clusters.yml").read_text(encoding="utf-8")
# What the playbooks themselves read.
KNOWN = load(ROOT / "roles", ("vault_address", "kubeconfig"))


def settings(text: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(text)
    return found


def offered() -> str:
    """Return the file with what it offers in comments taken up."""
    return "\n".join(
        line.removeprefix("# ") if line.removeprefix("# ").partition(":")[0] in {"kubeconfig", *KNOWN.names} else line
        for line in TEXT.splitlines()
    )


def test_at_most_ten_inputs_are_needed() -> None:
    assert len(settings(TEXT)) <= 10


def test_as_it_is_and_with_all_that_it_offers_it_is_well_formed() -> None:
    assert set(settings(offered())) > set(settings(TEXT))
    for text in (TEXT, offered()):
        found = settings(text)
        assert [*misspelt(found, KNOWN), *unset(found, KNOWN).values(), *wrong(found, KNOWN.options).values()] == []
        size(found)
