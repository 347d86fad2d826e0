# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import logging
import sys

import pytest
from mastodon_stand_in import log


@pytest.mark.parametrize(
    ("process", "environment", "level"),
    [
        ("web", {}, logging.INFO),
        ("web", {"RAILS_LOG_LEVEL": "warn", "LOG_LEVEL": "debug"}, logging.WARNING),
        ("web", {"RAILS_LOG_LEVEL": "fatal"}, logging.CRITICAL),
        ("streaming", {"RAILS_LOG_LEVEL": "warn", "LOG_LEVEL": "silly"}, logging.DEBUG),
        ("streaming", {"LOG_LEVEL": "nonsense"}, logging.INFO),
    ],
)
def test_each_process_has_its_level(process: str, environment: dict[str, str], level: int) -> None:
    assert log.level_of(process, environment) == level


def test_an_event_is_one_line() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("", logging.ERROR, "", 0, 'GET "%s" failed', ("/",), sys.exc_info())
    line = log.Line("web").format(record)
    assert line.endswith("level=error process=web message=\"GET '/' failed: ValueError: two\\nlines\"")
    assert "\n" not in line
