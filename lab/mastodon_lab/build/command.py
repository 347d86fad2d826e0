# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the programs that build things, and turn their failures into one sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mastodon_lab.errors import LabError


def run(
    what: str,
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    advice: str = "",
) -> None:
    """Run `command` with its output added to `log`.

    Raises LabError `<what>: <the log's last telling line>. <advice or where the log is>`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [str(word) for word in command]
    given = {**os.environ, **(environment or {})}
    with log.open("a") as output:
        print("$", *argv, file=output, flush=True)
        begin = output.tell()
        try:
            subprocess.run(argv, cwd=cwd, env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True)
        except FileNotFoundError as error:
            raise LabError(f"{what}: {argv[0]} is not installed. Install it, then run this again.") from error
        except subprocess.CalledProcessError as error:
            reason = telling_line(_from(log, begin))
            raise LabError(f"{what}: {reason}. {advice or f'The whole output is in {log}.'}") from error


def _from(log: Path, begin: int) -> str:
    with log.open(errors="replace") as output:
        output.seek(begin)
        return output.read()


def telling_line(output: str) -> str:
    """The last line of a failed program's output that says something, without its full stop."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it failed without a word"
