# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            ("Cluster ns/db", "is invalid", "spec.a: bad", "Correct it."),
            "Cluster ns/db: is invalid: spec.a: bad. Correct it.",
        ),
        (("Cluster ns/db", "is invalid"), "Cluster ns/db: is invalid."),
        (("A", "failed", "because.", "Do."), "A: failed: because. Do."),
        (("A", "failed", "two\n  lines "), "A: failed: two lines."),
    ],
)
def test_an_error_is_one_sentence(parts: tuple[str, ...], sentence: str) -> None:
    assert str(MastodonError(*parts)) == sentence


def test_pages_of_reason_are_cut() -> None:
    assert len(str(MastodonError("A", "failed", "x" * 5000))) < 700
