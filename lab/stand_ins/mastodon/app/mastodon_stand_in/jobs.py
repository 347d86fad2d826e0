# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What workers do: post-process pictures, distribute posts, write mail, push to browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mastodon_stand_in import (
    accounts,
    deliveries,
    discovery,
    farewell,
    keypairs,
    mail,
    notifications,
    pictures,
    push,
    statuses,
)
from mastodon_stand_in.accounts import Account, only
from mastodon_stand_in.bucket import Bucket
from mastodon_stand_in.database import Database
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.farewell import Farewell
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.mail import MailSettings
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.settings import Site


@dataclass(frozen=True)
class Worker:
    """What jobs use. Each of them may be done twice without harm, as Sidekiq promises no less."""

    site: Site
    keys: Keys
    mail: MailSettings
    database: Database
    bucket: Bucket
    jobs: Redis
    channels: Redis

    @property
    def farewell(self) -> Farewell:
        """What tells other servers that it is over."""
        return Farewell(self.site, self.keys, self.database, self.jobs)

    def perform(self, job: dict[str, Any]) -> None:
        """Do one job."""
        known: dict[str, Callable[..., None]] = {
            "PostProcessMediaWorker": self._post_process,
            "DistributionWorker": self._distribute,
            "ActionMailer::MailDeliveryJob": self._mail,
            "Web::PushNotificationWorker": self._push,
            "ActivityPub::DeliveryWorker": self._deliver,
            farewell.JOB: self.farewell.go_on,
        }
        if job["class"] not in known:
            raise RefusalError(
                f"Job {job['jid']}: {job['class']} is not known. Nothing in the stand-in makes such jobs."
            )
        known[job["class"]](*job["args"])

    def _post_process(self, number: int) -> None:
        """Read an upload back from the bucket and put its small version beside it."""
        with self.database.transaction() as cursor:
            row = statuses.find_picture(cursor, number)
        if row is None:
            return
        data = self.bucket.get(row["file_key"])
        if hashlib.sha256(data).hexdigest() != row["file_sha256"]:
            raise RefusalError(f"{self.bucket}: {row['file_key']} holds other bytes than were uploaded.")
        self.bucket.put(statuses.small_key(row["file_key"]), pictures.small(data), row["file_content_type"])
        with self.database.transaction() as cursor:
            statuses.mark_processed(cursor, number)

    def _distribute(self, number: int) -> None:
        """Notify the streams of a post, and those whom it mentions."""
        # In one transaction with telling the streams: when that fails, all of it is done again.
        with self.database.transaction() as cursor:
            status = statuses.find(cursor, number)
            if status is None or not statuses.mark_distributed(cursor, number):
                return
            told = list(notifications.add(cursor, status))
            apps = [(notification, notifications.subscribed(cursor, account)) for account, notification in told]
            self._announce(status, told)
        for notification, subscriptions in apps:
            for subscription in subscriptions:
                self.jobs.enqueue("Web::PushNotificationWorker", subscription, notification, queue="push")

    def _announce(self, status: dict[str, Any], told: Sequence[tuple[Account, int]]) -> None:
        shown = statuses.show(self.site, self.bucket.settings.public_url, status)
        channels = [f"timeline:{status['account_id']}"]
        if status["visibility"] == "public":
            channels += ["timeline:public", "timeline:public:local"]
        for channel in channels:
            self.channels.publish(channel, "update", shown)
        for account, notification in told:
            event = {"id": str(notification), "type": "mention", "account": shown["account"], "status": shown}
            self.channels.publish(f"timeline:{account.id}:notifications", "notification", event)

    def _mail(self, mailer: str, kind: str, user_id: int, *arguments: str) -> None:
        with self.database.transaction() as cursor:
            cursor.execute("SELECT email FROM users WHERE id = %s", (user_id,))
            address = only(cursor)["email"]
        written = mail.letter(self.site, kind, *arguments)
        mail.send(self.mail, mail.message(self.mail, self.site, address, written))

    def _push(self, app: int, number: int) -> None:
        """Push a notification to one browser; forget the browser that has ended its subscription."""
        with self.database.transaction() as cursor:
            subscription = notifications.subscription(cursor, app)
            notification = notifications.find(cursor, number)
        if subscription is None or notification is None:
            return
        payload = {
            "notification_id": str(number),
            "notification_type": "mention",
            "title": f"You were mentioned by {notification['username']}",
            "body": notification["text"],
        }
        try:
            push.send(self.site, self.keys, subscription, payload)
        except push.GoneError:
            with self.database.transaction() as cursor:
                notifications.forget(cursor, app)

    def _deliver(self, document: str, number: int, inbox: str) -> None:
        """Post a document to an inbox of another server."""
        with self.database.transaction() as cursor:
            account = accounts.find_by_id(cursor, number)
            if account is None:
                return
            private = keypairs.private_key(cursor, self.keys, number)
        key_id = f"{self.site.url(discovery.actor_path(account))}#main-key"
        deliveries.post(self.site, inbox, document.encode(), key_id, private)
