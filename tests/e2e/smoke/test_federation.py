# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml installed, as other servers see it."""

from __future__ import annotations

import re

from ...conftest import Lab


def test_what_was_installed_is_seen_well_by_other_servers(installed: Lab) -> None:
    run = installed.playbook("federation.yml")
    assert run.returncode == 0, run.output[-6000:]
    assert re.search(r"^social\.lab\.test as seen from this machine: 1 skipped, \d\d fine$", run.output, re.MULTILINE)
    # No picture was set.
    assert re.findall(r"^skipped +(.*?):? was not", run.output, re.MULTILINE) == ["https://media.lab.test/"]
    for proved in (
        "media.lab.test: has a record of external-dns: lab.social.lab.test for httproute/mastodon/mastodon-media.",
        "https://media.lab.test/.well-known/nodeinfo: is answered the same over a connection for social.lab.test.",
        "https://social.lab.test/ap/users/1/inbox: answers what is not signed as it should: 401 Unauthorized.",
        "https://social.lab.test/api/v1/streaming: takes the upgrade to a WebSocket: 401 Unauthorized.",
    ):
        assert proved in run.output
    # It takes a second or two, and as much for Ansible to start; machines that run tests do other things beside it.
    assert run.seconds < 15


def test_a_run_ends_with_it_where_that_is_asked_for(installed: Lab) -> None:
    run = installed.site("--tags=mastodon", '--extra-vars={"mastodon_federation_check": true}')
    assert run.returncode == 0, run.output[-6000:]
    assert run.recap["changed"] == 0
    assert re.search(r"^social\.lab\.test as seen from this machine: 1 skipped, \d\d fine$", run.output, re.MULTILINE)
