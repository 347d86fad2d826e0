# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let templates find the collection's filters as in a real run: Ansible's own importer must come before any import of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ansible.plugins.loader import init_plugin_loader

if TYPE_CHECKING:
    from ansible_collections.fediverse.mastodon.tests.unit.mail_server import Server

init_plugin_loader([str(Path(__file__).parents[2] / ".collections")])


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` that nobody but itself vouches for, with its key."""
    from ansible_collections.fediverse.mastodon.tests.unit.certificates import self_signed

    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    path.write_bytes(self_signed("localhost"))
    return path


@pytest.fixture
def mail_server(certificate: Path) -> Server:
    """Runs a mail server on loopback that asks for the password."""
    from ansible_collections.fediverse.mastodon.tests.unit.mail_server import serve

    return partial(serve, certificate)
