# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of backups share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...conftest import Lab
from ..support import eventually
from .archive import SETTINGS, Archive, now, sealed


@pytest.fixture(scope="module")
def archive(installed: Lab) -> Iterator[Archive]:
    """Turn backups on, wait for the first, and turn them off again."""
    found, began = Archive(installed), now()
    run = installed.site(*SETTINGS)
    assert run.returncode == 0, run.output[-6000:]
    if eventually(found.last_backup, bool, 300) < began:
        # What was written while backups were off is in none, and nothing makes one before its time.
        run = installed.playbook("backup.yml", *SETTINGS)
        assert run.returncode == 0, run.output[-4000:]
    found.post("before all")
    found.ask(f"UPDATE users SET otp_secret = '{sealed(installed)}'")  # noqa: S608 ours
    found.archive()
    yield found
    found.ask("UPDATE users SET otp_secret = NULL")
    run = installed.site()
    assert run.returncode == 0, run.output[-6000:]
