# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kstatus itself is the judge of what is Current: https://github.com/fluxcd/cli-utils, with which Flux judges, built by the lab's Go.

Where the two differ, they do so on purpose; each such case stands in DIFFERENCES with its reason, and must occur.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import rules, workloads
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import compute
from ansible_collections.fediverse.mastodon.tests.conftest import SEED
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.draws import OWN, draw
from mastodon_lab.build import tools
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store, tree_key
from mastodon_lab.cli import CACHE

PROGRAM = Path(__file__).parent / "kstatus"
EACH = 200
BUILT_IN = sorted({*workloads.RULES, *OWN})
CUSTOM = sorted(rules.RULES)


@dataclass(frozen=True)
class Difference:
    """Where kstatus says `theirs` and we say `ours`, and why. `applies` is asked of the object."""

    why: str
    theirs: str
    ours: str
    applies: Callable[[Object], bool]


def is_a(*kinds: str) -> Callable[[Object], bool]:
    return lambda item: item["kind"] in kinds


def says(item: Object, name: str, status: str = "True") -> bool:
    return any((said["type"], said["status"]) == (name, status) for said in at(item, "status.conditions", []))


DIFFERENCES = (
    Difference(
        "what its controller has not seen is not believed, also with no pods wanted",
        "Current",
        "InProgress",
        lambda item: (
            is_a("StatefulSet", "ReplicaSet", "Deployment")(item) and at(item, "status.observedGeneration") is None
        ),
    ),
    Difference(
        "a paused Deployment that has nothing to roll out is as it should be",
        "InProgress",
        "Current",
        lambda item: item["kind"] == "Deployment" and at(item, "spec.paused", False),
    ),
    Difference(
        "pods of a StatefulSet that is updated by hand must be ready all the same",
        "Current",
        "InProgress",
        lambda item: item["kind"] == "StatefulSet" and at(item, "spec.updateStrategy.type") == "OnDelete",
    ),
    Difference("a ReplicationController has pods, too", "Current", "InProgress", is_a("ReplicationController")),
    Difference(
        "a Job is waited for to its end, not to its start",
        "Current",
        "InProgress",
        lambda item: item["kind"] == "Job" and bool(at(item, "status.startTime")),
    ),
    Difference(
        "a suspended Job is as it should be: so says the kstatus of kubernetes-sigs, of which Flux's is older",
        "InProgress",
        "Current",
        lambda item: item["kind"] == "Job" and says(item, "Suspended"),
    ),
    Difference(
        "a pod that failed is not a success", "Current", "Failed", lambda item: at(item, "status.phase") == "Failed"
    ),
    Difference(
        "the first crashes, and a node that is being added, have time: _reconcile.causes says how much",
        "Failed",
        "InProgress",
        lambda item: item["kind"] == "Pod" and at(item, "status.phase") in ("Running", "Pending"),
    ),
    Difference(
        "a claim whose volume is lost never gets it back",
        "InProgress",
        "Failed",
        lambda item: at(item, "status.phase") == "Lost",
    ),
    Difference(
        "a Service of type LoadBalancer is of no use before it has an address",
        "Current",
        "InProgress",
        lambda item: item["kind"] == "Service" and at(item, "spec.type") == "LoadBalancer",
    ),
    Difference(
        "what has failed has failed, also when something else is still busy with it",
        "InProgress",
        "Failed",
        lambda item: says(item, "Reconciling"),
    ),
    Difference("an APIService that is not available serves nothing", "Current", "InProgress", is_a("APIService")),
)


@pytest.fixture(scope="module")
def kstatus(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Object]], list[str]]:
    """What kstatus says of objects, a word for each."""
    store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
    made_from = tree_key(PROGRAM)
    folder = store.path("kstatus", made_from)
    if not folder.is_dir():
        log = tmp_path_factory.mktemp("go") / "go.log"
        with store.locked(print):
            go = Go(tools.install(store, log).go, store, log)
            flags = ("-trimpath", "-buildvcs=false", "-ldflags", "-s -w")

            def build(into: Path) -> None:
                go.run("Building kstatus", "build", *flags, "-o", into / "kstatus", ".", cwd=PROGRAM)

            store.make("kstatus", made_from, build)

    def tracked(items: list[Object]) -> list[str]:
        given = "".join(f"{json.dumps(item)}\n" for item in items)
        done = subprocess.run(
            [folder / "kstatus"], input=given, capture_output=True, text=True, check=True, timeout=300
        )
        return done.stdout.split()

    return tracked


def verdicts(item: Object, kstatus: str) -> tuple[str, str]:
    """Return what kstatus says and what we say, in our words."""
    return "InProgress" if kstatus == "Terminating" else kstatus, compute(item).verdict


def differences(items: list[Object], reported: list[str]) -> Iterator[tuple[Object, str, str]]:
    for item, word in zip(items, reported, strict=True):
        theirs, ours = verdicts(item, word)
        if theirs != ours:
            yield item, theirs, ours


def reasons(item: Object, theirs: str, ours: str) -> list[Difference]:
    return [one for one in DIFFERENCES if (one.theirs, one.ours) == (theirs, ours) and one.applies(item)]


@pytest.mark.parametrize(("group", "kind"), BUILT_IN)
def test_a_kind_of_kubernetes_is_judged_as_kstatus_does(
    group: str, kind: str, kstatus: Callable[[list[Object]], list[str]]
) -> None:
    random = Random(f"{SEED} {group} {kind}")
    items = [draw(random, group, kind) for _unused in range(EACH)]
    reported = kstatus(items)
    assert "Error" not in reported
    unexplained = [found for found in differences(items, reported) if not reasons(*found)]
    assert unexplained[:3] == []


@pytest.mark.parametrize(("group", "kind"), CUSTOM)
def test_a_custom_kind_is_never_ready_before_kstatus_says_so(
    group: str, kind: str, kstatus: Callable[[list[Object]], list[str]]
) -> None:
    random = Random(f"{SEED} {group} {kind}")
    items = [draw(random, group, kind) for _unused in range(EACH)]
    early = [(item, theirs) for item, theirs, ours in differences(items, kstatus(items)) if ours == "Current"]
    assert early[:3] == []


def test_each_difference_occurs(kstatus: Callable[[list[Object]], list[str]]) -> None:
    random = Random(SEED)
    items = [draw(random, group, kind) for group, kind in BUILT_IN for _unused in range(EACH)]
    found = {one for difference in differences(items, kstatus(items)) for one in reasons(*difference)}
    assert [one.why for one in DIFFERENCES if one not in found] == []
