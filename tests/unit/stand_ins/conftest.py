# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from pathlib import Path

# The stand-in is a program of its own, not part of the lab's package.
sys.path.insert(0, str(Path(__file__).parents[3] / "lab/stand_ins/mastodon/app"))
