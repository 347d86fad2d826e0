# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.database import Database
from mastodon_stand_in.jobs import Worker
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.mail import MailSettings
from mastodon_stand_in.migrating import prepare
from mastodon_stand_in.queues import Redis
from mastodon_stand_in.services import Services
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings, RedisSettings, Site
from PIL import Image

from .servers import MemoryBucket, execute, postgresql, redis_server


def vapid_pair(secret: int) -> dict[str, str]:
    """A VAPID pair in upstream's format."""
    key = ec.derive_private_key(secret, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "VAPID_PRIVATE_KEY": base64.urlsafe_b64encode(secret.to_bytes(32, "big")).decode(),
        "VAPID_PUBLIC_KEY": base64.urlsafe_b64encode(point).decode(),
    }


def given_by_the_chart() -> dict[str, str]:
    """What the chart gives a web pod."""
    return {
        "LOCAL_DOMAIN": "social.lab.test",
        "SECRET_KEY_BASE": "0a" * 64,
        "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY": "P" * 32,
        "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": "D" * 32,
        "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT": "S" * 32,
        **vapid_pair(7**80),
        "DB_HOST": "db",
        "DB_PORT": "5432",
        "DB_NAME": "mastodon",
        "DB_USER": "mastodon",
        "DB_PASS": "database-password",
        "REDIS_HOST": "redis",
        "REDIS_PORT": "6379",
        "REDIS_PASSWORD": "redis-password",
        "S3_ENABLED": "true",
        "S3_BUCKET": "media",
        "S3_ENDPOINT": "http://s3:8333",
        "S3_HOSTNAME": "s3:8333",
        "S3_PROTOCOL": "http",
        "AWS_ACCESS_KEY_ID": "access-key",
        "AWS_SECRET_ACCESS_KEY": "s3-password",
    }


def picture(width: int = 2, height: int = 2) -> bytes:
    """A PNG of that size."""
    made = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, "PNG")
    return made.getvalue()


@pytest.fixture
def environment() -> dict[str, str]:
    return given_by_the_chart()


@pytest.fixture
def keys(environment: dict[str, str]) -> Keys:
    return Keys.from_environment(environment)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseSettings]:
    """A PostgreSQL with a prepared database, `prepared`."""
    with postgresql(tmp_path_factory.mktemp("postgresql")) as settings:
        execute(settings, "CREATE DATABASE prepared")
        # It is gone at once, and its connection with it: a database in use can be no template.
        prepare(Database(replace(settings, name="prepared")), Keys.from_environment(given_by_the_chart()))
        yield settings


_numbers = count()


@pytest.fixture
def empty(server: DatabaseSettings) -> Database:
    """A database of its own, without schema."""
    name = f"empty{next(_numbers)}"
    execute(server, f"CREATE DATABASE {name}")
    return Database(replace(server, name=name))


@pytest.fixture
def database(server: DatabaseSettings) -> Database:
    """A database of its own, as `rake db:prepare` leaves it."""
    name = f"prepared{next(_numbers)}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE prepared STRATEGY file_copy")
    return Database(replace(server, name=name))


@pytest.fixture
def redis_settings() -> Iterator[RedisSettings]:
    with redis_server() as port:
        yield RedisSettings("127.0.0.1", port, None, None)


@pytest.fixture
def jobs(redis_settings: RedisSettings) -> Redis:
    return Redis(redis_settings)


@pytest.fixture
def bucket(environment: dict[str, str]) -> MemoryBucket:
    return MemoryBucket(BucketSettings.from_environment(environment))


@pytest.fixture
def services(
    environment: dict[str, str], keys: Keys, database: Database, bucket: MemoryBucket, jobs: Redis
) -> Iterator[Services]:
    """What the web process uses."""
    with ThreadPoolExecutor(2) as threads:
        yield Services(Site.from_environment(environment), keys, database, bucket, jobs, jobs, threads)


@pytest.fixture
def worker(environment: dict[str, str], services: Services) -> Worker:
    """What jobs use; no mail server is there."""
    mail = MailSettings.from_environment(environment, services.site)
    jobs = services.jobs
    return Worker(services.site, services.keys, mail, services.database, services.bucket, jobs, channels=jobs)


@pytest.fixture
def site() -> Site:
    """An instance with its web interface on a host of its own."""
    return Site("lab.test", "social.lab.test", ("old.lab.test",))


@pytest.fixture
def alice() -> Account:
    """A user who may sign in."""
    return Account(id=7, username="alice", public_key="PEM")
