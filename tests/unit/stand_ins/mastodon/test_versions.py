# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

from mastodon_stand_in import VERSION

CHART = Path(__file__).parents[4] / "lab/stand_ins/mastodon/chart/Chart.yaml"


def test_the_app_is_of_the_version_that_its_chart_says() -> None:
    assert re.search(rf'^appVersion: "v{re.escape(VERSION)}"$', CHART.read_text(encoding="utf-8"), re.MULTILINE)
