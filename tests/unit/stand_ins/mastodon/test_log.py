# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from mastodon_stand_in import log


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)


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
    log.set_up(process, environment)
    assert logging.getLogger().level == level


def test_an_event_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("web", {})
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.exception('GET "/" failed')
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.endswith("level=error process=web message=\"GET '/' failed: ValueError: two\\nlines\"\n")
