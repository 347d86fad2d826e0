# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.settings import Site


def vapid_pair(secret: int) -> dict[str, str]:
    """A VAPID pair in upstream's format."""
    key = ec.derive_private_key(secret, ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "VAPID_PRIVATE_KEY": base64.urlsafe_b64encode(secret.to_bytes(32, "big")).decode(),
        "VAPID_PUBLIC_KEY": base64.urlsafe_b64encode(point).decode(),
    }


@pytest.fixture
def environment() -> dict[str, str]:
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


@pytest.fixture
def site() -> Site:
    """An instance with its web interface on a host of its own."""
    return Site("lab.test", "social.lab.test", ("old.lab.test",))


@pytest.fixture
def alice() -> Account:
    """A user who may sign in."""
    return Account(id=7, username="alice", public_key="PEM")
