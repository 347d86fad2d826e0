# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs: one line an event, as `key=value`, to standard output."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping

# Mastodon's names for Rails and Node, where they are not Python's.
_LEVELS = {"fatal": "CRITICAL", "unknown": "CRITICAL", "warn": "WARNING", "trace": "DEBUG", "silly": "DEBUG"}


class Line(logging.Formatter):
    """Formats an event; an exception becomes its type and message, on the same line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += f": {type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
        quoted = message.replace("\\", "\\\\").replace('"', "'").replace("\n", "\\n")
        return f'time={moment} level={record.levelname.lower()} process={self._process} message="{quoted}"'


def level_of(process: str, environment: Mapping[str, str]) -> int:
    """Return the level that the chart gives: LOG_LEVEL to streaming, RAILS_LOG_LEVEL to everything else."""
    name = environment.get("LOG_LEVEL" if process == "streaming" else "RAILS_LOG_LEVEL") or "info"
    level = logging.getLevelName(_LEVELS.get(name.lower(), name.upper()))
    return level if isinstance(level, int) else logging.INFO


def set_up(process: str, environment: Mapping[str, str]) -> None:
    """Log this process' events; a command's go to standard error, where they are apart from what it prints."""
    handler = logging.StreamHandler(sys.stderr if process == "tootctl" else sys.stdout)
    handler.setFormatter(Line(process))
    logging.basicConfig(level=level_of(process, environment), handlers=[handler])
    # Their own chatter, some of it with request headers.
    for library in ("aiohttp", "asyncio", "boto3", "botocore", "urllib3", "PIL"):
        logging.getLogger(library).setLevel(logging.WARNING)
