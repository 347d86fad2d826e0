# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one of Mastodon's processes or commands, named as in Mastodon's image; exit with 1 and one sentence on a refusal."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module

from mastodon_stand_in import log
from mastodon_stand_in.errors import RefusalError

# Command → module with `main(arguments, environment)`. Imported when asked for: tootctl needs no web server.
COMMANDS = {
    "rake": "rake",
    "puma": "web",
    "sidekiq": "sidekiq",
    "./streaming": "streaming",
    "tootctl": "tootctl",
    "prometheus_exporter": "exporter",
}


def main(arguments: list[str]) -> int:
    """Run the command and return the exit code."""
    command = arguments[0] if arguments else ""
    if command not in COMMANDS:
        print(f"{command or 'No command'}: not known. Use one of {', '.join(COMMANDS)}.", file=sys.stderr)
        return 1
    log.set_up(COMMANDS[command], os.environ)
    try:
        import_module(f"mastodon_stand_in.{COMMANDS[command]}").main(arguments[1:], os.environ)
    except RefusalError as refusal:
        if command == "tootctl":
            print(refusal, file=sys.stderr)
        else:
            logging.critical("%s", refusal)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
