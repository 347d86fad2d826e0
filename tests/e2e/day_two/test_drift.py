# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changed behind our back: check mode names all of it and nothing else, and a run takes back what it may."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ...conftest import Lab
from ..support import external_dns_standing_still
from ..zone import DOMAIN, HAND_MADE, Zone

ROUTE = ("httproute", "-n=mastodon", "mastodon")
HOST = '{"spec":{"hostnames":["other.lab.test"]}}'
SUSPENDED = "HelmRelease external-dns/external-dns-mastodon: is suspended, so Flux does not act on it"


def named(output: str) -> list[str]:
    """Return what a run says that it changes, without the changes."""
    return [line.split(":")[0] for line in re.findall(r"^(?:created|configured|deleted) .*", output, re.MULTILINE)]


@pytest.fixture
def drifted(laid_down: Lab, zone: Zone) -> Iterator[Lab]:
    """The lab with a route and a record changed by hand, which a run takes back afterwards."""
    zone.replace(DOMAIN, HAND_MADE)
    laid_down.kubectl("patch", *ROUTE, "--type=merge", f"--patch={HOST}")
    yield laid_down
    assert laid_down.site().returncode == 0


def test_what_somebody_changed_is_named_by_check_mode_and_taken_back_by_a_run(drifted: Lab, zone: Zone) -> None:
    with external_dns_standing_still(drifted):
        zone.replace(DOMAIN, HAND_MADE)
        mark, vault = drifted.audit_mark(), drifted.vault_versions()
        check = drifted.site("--check", "--diff")
        assert check.returncode == 0, check.output[-4000:]
        assert named(check.output) == ["configured HTTPRoute mastodon/mastodon", f"configured DNS record {DOMAIN}"]
        assert re.findall(r"^check mode: (.*); ", check.output, re.MULTILINE) == [SUSPENDED]
        assert "-  - other.lab.test" in check.output
        assert drifted.our_writes(mark) == []
        assert drifted.vault_versions() == vault
    run = drifted.site()
    assert run.returncode == 0, run.output[-4000:]
    assert "configured HTTPRoute mastodon/mastodon: spec.hostnames" in run.output
    assert zone.texts(DOMAIN, "A") == [drifted.facts["gateway_address"]]
