# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leaving for good: SELF_DESTRUCT, the notices of deletion, and how many are left (app/workers/scheduler/self_destruct_scheduler.rb)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mastodon_stand_in import accounts, discovery
from mastodon_stand_in.database import Database
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import Site

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

JOB = "Scheduler::SelfDestructScheduler"
# Every minute, as all jobs of its kind: config/sidekiq.yml
SECONDS = 60
_ACCOUNTS_A_RUN = 50
_MAX_ENQUEUED = 10_000
_MAX_MEMORY = 0.5
# app/workers/activitypub/delivery_worker.rb
_DELIVERY_RETRIES = 8
# Of Rails' key generator, by which a message verifier gets its key.
_ITERATIONS, _KEY_BYTES = 1000, 64
_PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def value(site: Site, keys: Keys) -> str:
    """Return what SELF_DESTRUCT must be: the domain, signed (Rails' MessageVerifier), so that a stray variable destroys nothing."""
    data = base64.b64encode(json.dumps(site.local_domain).encode()).decode()
    key = hashlib.pbkdf2_hmac("sha256", keys.secret_key_base.encode(), b"self-destruct", _ITERATIONS, _KEY_BYTES)
    return f"{data}--{hmac.new(key, data.encode(), hashlib.sha1).hexdigest()}"


def is_on(site: Site, keys: Keys) -> bool:
    """Return whether this Mastodon is leaving. A value of another key or domain is none."""
    return bool(site.self_destruct) and hmac.compare_digest(site.self_destruct, value(site, keys))


@dataclass(frozen=True)
class Farewell:
    """What tells other servers that the accounts are gone."""

    site: Site
    keys: Keys
    database: Database
    jobs: Redis

    def go_on(self) -> None:
        """Suspend the next accounts and queue their notices, unless Redis has enough to do."""
        if not is_on(self.site, self.keys) or self._is_overwhelmed():
            return
        with self.database.transaction() as cursor:
            cursor.execute(
                "SELECT id FROM accounts WHERE domain IS NULL AND suspended_at IS NULL ORDER BY id LIMIT %s",
                (_ACCOUNTS_A_RUN,),
            )
            leaving = [row["id"] for row in cursor.fetchall()]
            inboxes = _inboxes(cursor)
        for number in leaving:
            self._delete(number, inboxes)

    def progress(self) -> str:
        """Return upstream's sentence on how far it is."""
        with self.database.transaction() as cursor:
            cursor.execute("SELECT count(*) AS left FROM accounts WHERE domain IS NULL AND suspended_at IS NULL")
            left = accounts.only(cursor)["left"]
        waiting = self.jobs.sizes()
        if left:
            return f"{left} accounts are still pending deletion."
        if waiting.enqueued:
            return "Deletion notices are still being processed"
        if waiting.retries:
            return (
                "At least one delivery attempt for each deletion notice has been made, but some have failed and are"
                " scheduled for retry"
            )
        return "Every deletion notice has been sent! You can safely delete all data and decomission your servers!"

    def _is_overwhelmed(self) -> bool:
        return self.jobs.sizes().enqueued > _MAX_ENQUEUED or self.jobs.memory_used() > _MAX_MEMORY

    def _delete(self, number: int, inboxes: list[str]) -> None:
        with self.database.transaction() as cursor:
            account = accounts.find_by_id(cursor, number)
            if account is None:
                return
            notice = json.dumps(_notice(self.site.url(discovery.actor_path(account))))
            for inbox in inboxes:
                self.jobs.enqueue(
                    "ActivityPub::DeliveryWorker", notice, number, inbox, queue="push", retries=_DELIVERY_RETRIES
                )
            cursor.execute("UPDATE accounts SET suspended_at = now() WHERE id = %s", (number,))


def _inboxes(cursor: RealDictCursor) -> list[str]:
    cursor.execute(
        "SELECT DISTINCT coalesce(nullif(shared_inbox_url, ''), inbox_url) AS url FROM accounts"
        " WHERE domain IS NOT NULL AND inbox_url <> '' ORDER BY 1"
    )
    return [row["url"] for row in cursor.fetchall()]


def _notice(actor: str) -> dict[str, Any]:
    # Upstream signs the document too, so that a server may hand it on (LD signatures); this one signs the request alone.
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}#delete",
        "type": "Delete",
        "actor": actor,
        "to": [_PUBLIC],
        "object": actor,
    }
