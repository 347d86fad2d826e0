# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes longest of the smoke tests, under way while the others run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...conftest import Lab
from .edge import KEY, SPACE, certificate, external_dns, gateway, of, web_server
from .support import apply, namespace


@pytest.fixture(scope="session", autouse=True)
def space(installed: Lab) -> Iterator[Lab]:
    """The lab with a namespace for a web server that is reached through a Gateway of its own.

    From the first test on: cert-manager lets each record of a challenge rest for a minute.
    """
    stored = installed.stored("dns")
    with namespace(installed, SPACE):
        apply(installed, of("v1", "Secret", KEY["name"], stringData={KEY["key"]: stored["tsig-secret"]}))
        apply(installed, *web_server(), *certificate(installed, stored["tsig-key-name"]), *gateway())
        apply(installed, *external_dns(installed, stored["tsig-key-name"]))
        yield installed
