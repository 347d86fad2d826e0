# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration that fails is named by its Job, Mastodon goes on as it was, and the next run repairs it."""

from __future__ import annotations

from ...conftest import Lab
from ..support import served
from ..zone import DOMAIN

# Where migrations find no database: past the pooler they take another way than Mastodon itself.
NOWHERE = "mastodon_postgresql_direct_port=1"


def test_a_migration_that_fails_is_named_and_repaired_by_the_next_run(installed: Lab) -> None:
    run = installed.site("--tags", "mastodon", "-e", NOWHERE)
    said = " ".join(run.output.split())
    assert run.returncode != 0, said[-3000:]
    assert "HelmRelease mastodon/mastodon: failed: " in said
    assert "mastodon-db-pre-migrate" in said
    assert "Read why: kubectl logs -n mastodon" in said
    assert "Traceback" not in said
    assert served(installed, DOMAIN) == DOMAIN
    repaired = installed.site("--tags", "mastodon")
    assert repaired.returncode == 0, repaired.output[-4000:]
    assert installed.site().recap["changed"] == 0
