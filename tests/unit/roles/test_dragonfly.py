# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role dragonfly asks of a Dragonfly."""

from __future__ import annotations

from .conftest import Site


def test_snapshots_take_the_place_of_each_other() -> None:
    spec = Site().objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]
    [name] = [argument for argument in spec["args"] if argument.startswith("--dbfilename=")]
    # A name with a placeholder, as is the default, makes a file of each, and one with an extension is refused.
    assert name.removeprefix("--dbfilename=").isalnum()
