# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changed behind our back: check mode names all of it and nothing else, and a run takes back what it may."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ..conftest import Lab
from .zone import DOMAIN, HAND_MADE, Zone

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


@pytest.fixture
def stands_still(drifted: Lab, external_dns_stands_still: None) -> Lab:
    """The same with external-dns suspended; it goes on before a run takes the rest back."""
    return drifted


def test_check_mode_names_an_edited_object_a_changed_record_and_a_suspended_release(
    stands_still: Lab, zone: Zone
) -> None:
    zone.replace(DOMAIN, HAND_MADE)
    mark, vault = stands_still.audit_mark(), stands_still.vault_versions()
    run = stands_still.site("--check", "--diff")
    assert run.returncode == 0, run.output[-4000:]
    assert named(run.output) == ["configured HTTPRoute mastodon/mastodon", f"configured DNS record {DOMAIN}"]
    assert re.findall(r"^check mode: (.*); ", run.output, re.MULTILINE) == [SUSPENDED]
    assert "-  - other.lab.test" in run.output
    assert stands_still.our_writes(mark) == []
    assert stands_still.vault_versions() == vault


def test_a_run_takes_all_of_it_back(drifted: Lab, zone: Zone) -> None:
    run = drifted.site()
    assert run.returncode == 0, run.output[-4000:]
    assert "configured HTTPRoute mastodon/mastodon: spec.hostnames" in run.output
    assert zone.texts(DOMAIN, "A") == [drifted.facts["gateway_address"]]
    assert drifted.site().recap["changed"] == 0
