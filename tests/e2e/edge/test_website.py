# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web site at the bare domain asks for its certificate until it has one, as one that nobody issued is what a lab fails at."""

from __future__ import annotations

from ...conftest import Lab
from ..support import eventually

WITHIN = ("exec", "-n=website", "deployment/website", "-c=server", "--")
KEPT = "/data/acme.json"


def test_a_web_site_without_a_certificate_asks_once_more(both: Lab) -> None:
    both.kubectl(*WITHIN, "sh", "-c", f"echo '{{}}' > {KEPT}")

    def state() -> tuple[bool, bool]:
        (pod,) = both.get("pods", "-n=website")["items"]
        server = next(one for one in pod["status"]["containerStatuses"] if one["name"] == "server")
        return server["restartCount"] > 0, server["ready"]

    eventually(state, lambda found: found == (True, True), 120)
    assert '"certificate"' in both.kubectl(*WITHIN, "cat", KEPT)
