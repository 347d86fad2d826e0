# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs


def test_packages_that_are_there_are_no_trouble() -> None:
    needs("json", "hvac", "urllib3")


def test_missing_packages_are_named_with_the_command_that_brings_them() -> None:
    with pytest.raises(MastodonError) as told:
        needs("json", "no_such_package", "nor_this")
    python = sys.executable
    assert str(told.value) == (
        f"Python {python}: no_such_package nor_this missing. "
        f"Install them: {python} -m pip install no_such_package nor_this."
    )
