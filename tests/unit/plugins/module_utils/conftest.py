# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of more than one folder talk to."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket

from .s3_server import KEYS, S3, serve


@pytest.fixture
def closed_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def s3() -> Iterator[S3]:
    """An S3 server with one bucket."""
    with serve() as server:
        yield server


@pytest.fixture
def bucket(s3: S3) -> Bucket:
    """Its bucket."""
    return Bucket(s3.endpoint, "media", "us-east-1", KEYS)
