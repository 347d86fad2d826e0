# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon seen from inside its cluster: through a pod that is there, and by one that looks again and again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from subprocess import CalledProcessError

import pytest

from ...conftest import Lab
from ..support import eventually
from ..zone import DOMAIN

ON = ("--tags=mastodon", '--extra-vars={"mastodon_federation_watch": true}')
SELECTED = ("-n=mastodon", "--selector=app.kubernetes.io/name=federation-watch")
WEB = ("deployment/mastodon-web", "-n=mastodon")
POD = {"namespace": "mastodon", "labels": {"app.kubernetes.io/component": "web"}}
THROUGH = "pod mastodon/app.kubernetes.io/component=web"


def metrics(lab: Lab) -> str:
    """Return what the pod that looks serves; nothing as long as there is none."""
    for pod in lab.get("pods", *SELECTED)["items"]:
        place = f"/api/v1/namespaces/mastodon/pods/{pod['metadata']['name']}:9808/proxy/metrics"
        try:
            return lab.kubectl("get", f"--raw={place}")
        except CalledProcessError:
            continue
    return ""


@pytest.fixture
def web_is_down(installed: Lab) -> Iterator[None]:
    installed.kubectl("scale", *WEB, "--replicas=0")
    yield
    installed.kubectl("scale", *WEB, "--replicas=1")
    installed.kubectl("rollout", "status", *WEB, "--timeout=120s")


def test_through_a_pod_it_is_seen_as_well_and_by_the_same_names(installed: Lab) -> None:
    run = installed.playbook("federation.yml", "--extra-vars", json.dumps({"federation_via_pod": POD}))
    assert run.returncode == 0, run.output[-6000:]
    assert re.search(f"^{re.escape(DOMAIN)} as seen from {re.escape(THROUGH)}: ", run.output, re.MULTILINE)
    for proved in (
        f"{DOMAIN}: leads to the same for the name servers of {THROUGH}.",
        f"{DOMAIN} at {installed.facts['gateway_address']}: is reached from {THROUGH} and from this machine.",
    ):
        assert proved in run.output
    left = installed.kubectl("exec", *WEB[1:], WEB[0], "--", "sh", "-c", "cat /proc/[0-9]*/cmdline")
    assert "create_connection" not in left


def test_a_pod_that_looks_is_ready_once_it_has_looked_and_the_next_run_changes_nothing(installed: Lab) -> None:
    run = installed.site(*ON)
    assert run.returncode == 0, run.output[-3000:]
    seen = metrics(installed)
    assert f'federation_check_passed{{domain="{DOMAIN}",vantage="inside"}} 1\n' in seen, seen
    assert f'federation_check_findings{{domain="{DOMAIN}",vantage="inside",verdict="CUT"}} 0\n' in seen
    again = installed.site(*ON)
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-3000:]


@pytest.mark.usefixtures("web_is_down")
def test_what_is_lost_is_in_its_metrics_and_in_its_log(installed: Lab) -> None:
    # Its first look, as it looks every quarter of an hour.
    installed.kubectl("delete", "pod", *SELECTED)
    seen = eventually(lambda: metrics(installed), bool, 90)
    assert f'federation_check_passed{{domain="{DOMAIN}",vantage="inside"}} 0\n' in seen
    assert 'check="inbox",fault="' in seen
    assert re.search(r"(?m)^(CUT|LOST) +https://", installed.kubectl("logs", *SELECTED, "--tail=-1"))


def test_it_goes_when_it_is_turned_off(installed: Lab) -> None:
    run = installed.site("--tags=mastodon")
    assert run.returncode == 0, run.output[-3000:]
    assert installed.get("deployments", "-n=mastodon", "mastodon-federation-watch", "--ignore-not-found") == {}
    eventually(lambda: installed.get("pods", *SELECTED)["items"], lambda found: found == [], 60)
