# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept


@dataclass(frozen=True)
class Made:
    ended: str
    written: str = "{}"
    failure: str = ""


def test_a_record_takes_what_its_class_has_and_nothing_else() -> None:
    assert kept.record(Made, {"ended": "now", "written": "x", "failure": "y", "later": "z"}) == Made("now", "x", "y")


def test_what_an_earlier_release_did_not_write_is_as_the_class_has_it_or_empty() -> None:
    assert kept.record(Made, {}) == Made("", "{}", "")


def test_numbers_that_somebody_wrote_are_read_as_text() -> None:
    assert kept.record(Made, {"ended": 7}) == Made("7")
