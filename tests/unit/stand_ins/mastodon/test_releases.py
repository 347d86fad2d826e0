# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.releases import parsed, release


@pytest.mark.parametrize(
    ("version", "minor"), [("4.5.20", (4, 5)), ("4.6.9", (4, 6)), ("4.7.2", (4, 7)), ("4.7.0-rc.1", (4, 7))]
)
def test_a_version_belongs_to_a_series(version: str, minor: tuple[int, int]) -> None:
    assert release(version).minor == minor


@pytest.mark.parametrize("version", ["4.4.27", "5.0.0", "edge", ""])
def test_an_unknown_series_is_refused(version: str) -> None:
    with pytest.raises(RefusalError, match="is of no series that the stand-in knows"):
        release(version)


@pytest.mark.parametrize(("version", "numbers"), [("7.2.4", (7, 2, 4)), ("8.0", (8, 0)), ("7.x", (7,)), ("", ())])
def test_a_version_is_read_as_far_as_it_is_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert parsed(version) == numbers
