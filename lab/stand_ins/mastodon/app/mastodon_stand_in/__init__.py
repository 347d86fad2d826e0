# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Mastodon: it really uses the database, cache, bucket and keys that it is given. It is not Mastodon."""

from __future__ import annotations

import os
from typing import Final

# The one image content is there as several versions, so that upgrades can be tried: each image says which one it is.
VERSION: Final = os.environ.get("STAND_IN_VERSION", "4.7.2")
