# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a clock that is seen to be off to the pod whose it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.inward.explain import explained
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import identity
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Cause, Fault

from .behind import HOST, Behind, of

COUNTED = f"https://{HOST}/api/v2/instance"


@pytest.fixture
def behind() -> Behind:
    made = Behind()
    made.change("Pod mastodon/web-1", lambda pod: pod["spec"].update(nodeName="node-7"))
    return made


def cause(behind: Behind, fault: Fault) -> Cause:
    [found] = explained(behind.cluster, behind.scene(), [fault.at(COUNTED, "far off").of("identity")])
    assert found.cause
    return found.cause


@pytest.mark.parametrize(("off", "said"), [(10800, "10800 s ahead"), (-7200, "7200 s behind")])
def test_the_pod_and_its_node_are_named(behind: Behind, off: int, said: str) -> None:
    behind.off = off
    found = cause(behind, identity.CLOCK_OF_PODS)
    assert re.fullmatch(rf"Pod mastodon/web-1 on Node node-7 says 20\d\d-[0-9T:-]{{14}}Z, which is {said}", found.why)
    assert found.proved
    assert (
        found.next == "Compare it with date -u on Node node-7, and let chrony or systemd-timesyncd set the clock there."
    )
    assert behind.asked == ["mastodon/web-1"]


def test_a_clock_that_this_machine_s_may_be_wrong_beside_is_likely_the_pod_s(behind: Behind) -> None:
    behind.off = 1200
    found = cause(behind, identity.CLOCK_NEARLY)
    assert found.why.endswith(", which is 1200 s ahead")
    assert not found.proved


def test_pods_that_have_the_right_time_leave_the_likely_cause_and_of_many_a_few_are_asked(behind: Behind) -> None:
    [pod] = [one for name, one in behind.objects.items() if name == "Pod mastodon/web-1"]
    labels = {"labels": pod["metadata"]["labels"]}
    behind.add(*(of("v1", "Pod", f"mastodon/web-{n}", metadata=labels, status={**pod["status"]}) for n in range(2, 9)))
    behind.change("Pod mastodon/web-1", lambda pod: pod["status"].update(phase="Succeeded"))
    assert cause(behind, identity.CLOCK_OF_PODS) == identity.CLOCK_OF_PODS.cause
    assert behind.asked == ["mastodon/web-2", "mastodon/web-3", "mastodon/web-4"]


def test_another_key_is_nothing_that_a_pod_is_asked_about(behind: Behind) -> None:
    behind.off = 10800
    assert cause(behind, identity.OTHER_KEY) == identity.OTHER_KEY.cause
    assert behind.asked == []


def test_a_pod_in_which_nothing_may_be_run_is_told_and_takes_nothing_away(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_unused: Any) -> Any:
        raise MastodonError("Pod mastodon/web-1", "date cannot be run in it", "403 Forbidden", "")

    monkeypatch.setattr(behind, "_time", refused)
    finding = identity.CLOCK_OF_PODS.at(COUNTED, "far off").of("identity")
    found = explained(behind.cluster, behind.scene(), [finding])
    assert found[0] == finding
    assert (
        str(found[1]) == "The cluster: was not looked at: Pod mastodon/web-1: date cannot be run in it: 403 Forbidden."
    )
