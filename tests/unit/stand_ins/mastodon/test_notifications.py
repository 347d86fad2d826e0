# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in.notifications import mentioned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hi @alice!", ["alice"]),
        ("@alice @Bob_1 @alice", ["alice", "bob_1"]),
        ("(@alice)", ["alice"]),
        ("mail alice@lab.test", []),
        ("@alice@far.test", []),
        ("https://far.test/@alice", []),
        ("@ alice", []),
    ],
)
def test_a_text_mentions_local_accounts(text: str, names: list[str]) -> None:
    assert mentioned(text) == names
