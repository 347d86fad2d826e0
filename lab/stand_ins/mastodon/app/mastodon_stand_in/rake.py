# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`rake db:prepare` and `rake db:migrate`, which the chart's hook Jobs run, `rake db:seed`, and what operators ask:
`rake db:migrate:status` and `rake db:abort_if_pending_migrations`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from mastodon_stand_in.database import Database
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.migrating import migrate, prepare, refuse_pending, sow, status
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import DatabaseSettings, RedisSettings, Site


def main(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run one task. Like Rails, it boots the whole application first, so that wrong keys fail here already."""
    site = Site.from_environment(environment)
    keys = Keys.from_environment(environment)
    database = Database(DatabaseSettings.from_environment(environment))
    # Upstream's seeds and migrations clear caches.
    Redis(RedisSettings.from_environment(environment)).check()
    if arguments == ["db:prepare"]:
        prepare(database, keys)
    elif arguments == ["db:migrate"]:
        migrate(database, keys, environment.get("SKIP_POST_DEPLOYMENT_MIGRATIONS") == "true")
    elif arguments == ["db:seed"]:
        sow(database)
    elif arguments == ["db:migrate:status"]:
        print(status(database))
        return
    elif arguments == ["db:abort_if_pending_migrations"]:
        refuse_pending(database)
        return
    else:
        raise RefusalError(
            f"rake {' '.join(arguments)}: there is no such task. Use db:prepare, db:migrate, db:seed, db:migrate:status or db:abort_if_pending_migrations."
        )
    logging.info("%s for %s is up to date", database, site.local_domain)
