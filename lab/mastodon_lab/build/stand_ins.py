# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images and charts of operators that no registry here has, under upstream's names: see lab/stand_ins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mastodon_lab import versions
from mastodon_lab.build import charts
from mastodon_lab.build.charts import Chart
from mastodon_lab.build.golang import STAND_INS_MODULE
from mastodon_lab.build.image import STAND_IN_LABEL, File, Folder, Run
from mastodon_lab.build.images import NONROOT, SEARCH_PATH, Image

DRAGONFLY_CHART = STAND_INS_MODULE / "dragonfly/chart"
DRAGONFLY_OPERATOR_IMAGE = f"docker.dragonflydb.io/dragonflydb/operator:{versions.DRAGONFLY_OPERATOR}"
DRAGONFLY_IMAGE = f"docker.dragonflydb.io/dragonflydb/dragonfly:{versions.DRAGONFLY}"
DRAGONFLY_ID = 999
# By the port that wants no password. While Redis reads a snapshot it answers, but not with PONG.
HEALTH = b"""\
#!/bin/sh
[ "$(redis-cli -p "${HEALTHCHECK_PORT:-9999}" ping)" = PONG ]
"""


def dragonfly_images(base: Path, servers: Path, program: Mapping[str, Path]) -> tuple[Image, ...]:
    """The operator, and a Redis that is run like Dragonfly; `servers` is a Debian with Redis."""
    labels = {STAND_IN_LABEL: "true"}
    return (
        Image(
            "dragonfly-operator",
            (DRAGONFLY_OPERATOR_IMAGE,),
            (base,),
            Run(("/manager",), user=NONROOT, labels=labels),
            {"manager": File(program["dragonfly-operator"], 0o755)},
        ),
        Image(
            "dragonfly",
            (DRAGONFLY_IMAGE,),
            (servers,),
            Run(
                ("dragonfly",),
                environment={"PATH": SEARCH_PATH},
                folder="/data",
                labels=labels,
            ),
            {
                "data": Folder(0o755, DRAGONFLY_ID, DRAGONFLY_ID),
                "usr/local/bin/dragonfly": File(program["dragonfly"], 0o755),
                "usr/local/bin/healthcheck.sh": File(HEALTH, 0o755),
            },
        ),
    )


def dragonfly_chart() -> Chart:
    """The operator's chart, with the operator's version as upstream's has it."""
    version = versions.DRAGONFLY_OPERATOR
    return charts.from_folder(DRAGONFLY_CHART, "dragonfly-operator", version, version)
