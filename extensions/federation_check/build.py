# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds `federation-check.pyz`, at the path that is given, or here."""

from __future__ import annotations

import runpy
from pathlib import Path

BUILDER = Path(__file__).resolve().parents[2] / "plugins/plugin_utils/_federation_program.py"

if __name__ == "__main__":
    runpy.run_path(str(BUILDER), run_name="__main__")
