# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl is the judge: what it leaves of a pair of manifests, the engine leaves too, and it then finds nothing to do."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import delete
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.conftest import SEED
from ansible_collections.fediverse.mastodon.tests.integration.api import judging
from ansible_collections.fediverse.mastodon.tests.integration.api.judging import Side
from ansible_collections.fediverse.mastodon.tests.integration.api.pairs import Maker, Pair
from ansible_collections.fediverse.mastodon.tests.integration.api.specimens import GROUP
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster

# How many pairs; `lab/test --long` draws more.
PAIRS = int(os.environ.get("TEST_PAIRS", "100"))
BATCH = 100
PLURALS = {
    "configmaps": "api/v1",
    "secrets": "api/v1",
    "podtemplates": "api/v1",
    "services": "api/v1",
    "limitranges": "api/v1",
    "serviceaccounts": "api/v1",
    "cronjobs": "apis/batch/v1",
    "networkpolicies": "apis/networking.k8s.io/v1",
    "poddisruptionbudgets": "apis/policy/v1",
    "roles": "apis/rbac.authorization.k8s.io/v1",
    "pairs": f"apis/{GROUP}/v1",
    "stateds": f"apis/{GROUP}/v1",
}
KUBECTL = ("--server-side", "--field-manager=judge")
ONLY_OURS = "only the second has it"
OTHER = ("--server-side", "--field-manager=other", "--force-conflicts")


@pytest.fixture(scope="module")
def kinds(kubeconfig: str) -> Iterator[Cluster]:
    """A cluster with the kinds of the test."""
    client = Client(connect({"kubeconfig": kubeconfig}, os.environ))
    cluster = Cluster(kubeconfig, "default", client)
    crds = [judging.crd("Pair", has_status=False), judging.crd("Stated", has_status=True)]
    assert "msg" not in cluster.apply(*crds, name="pairs").result
    yield cluster
    cluster.run(delete.TASK, name="pairs", namespace="default", prune_allow=PLURALS)


@pytest.fixture
def sides(kinds: Cluster, kubectl: str) -> Iterator[tuple[Side, Side]]:
    """A namespace of kubectl's and one of ours."""
    place = uuid.uuid4().hex[:8]
    names = [f"judge-{place}", f"ours-{place}"]
    for name in names:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        kinds.client.request("POST", "/api/v1/namespaces", about=name, body=body)
    yield Side(kinds, kubectl, names[0]), Side(kinds, kubectl, names[1])
    for name in names:
        kinds.delete(f"/api/v1/namespaces/{name}")


@pytest.mark.parametrize("batch", range(-(-PAIRS // BATCH)))
def test_what_kubectl_leaves_is_what_we_leave(sides: tuple[Side, Side], batch: int) -> None:
    maker = Maker(SEED + batch)
    pairs = [maker.pair(f"p{number}") for number in range(BATCH)]
    first(pairs, *sides)
    assert list(judged(pairs, *sides)) == []
    then(pairs, *sides)
    assert list(judged(pairs, *sides)) == []
    assert again(pairs, sides[1]) == {}


def first(pairs: list[Pair], theirs: Side, ours: Side) -> None:
    """Apply what is declared first, and what another manager declares."""
    by_server = [pair.before for pair in pairs if not pair.by_client]
    theirs.by_kubectl(by_server, *KUBECTL)
    ours.by_us(by_server)
    for side in (theirs, ours):
        side.by_kubectl([pair.before for pair in pairs if pair.by_client])
        side.by_kubectl([pair.other for pair in pairs if pair.other], *OTHER)


def then(pairs: list[Pair], theirs: Side, ours: Side) -> None:
    """Apply what is declared then."""
    theirs.by_kubectl([pair.after for pair in pairs if pair.forced], *KUBECTL, "--force-conflicts")
    theirs.by_kubectl([pair.after for pair in pairs if not pair.forced], *KUBECTL)
    ours.by_us([pair.after for pair in pairs], {pair.name for pair in pairs if pair.forced})


def again(pairs: list[Pair], ours: Side) -> dict[str, str]:
    """Apply once more what was taken. Return what of it is not unchanged."""
    left = [pair for pair in pairs if pair.name not in ours.refused]
    applied = ours.by_us([pair.after for pair in left], {pair.name for pair in left if pair.forced})
    return {subject: action for subject, action in applied.actions.items() if action not in ("unchanged", "skipped")}


def judged(pairs: list[Pair], theirs: Side, ours: Side) -> Iterator[str]:
    """Yield in what the two sides differ, and who refused what the other took."""
    for name in sorted(theirs.refused.keys() ^ ours.refused.keys()):
        yield f"{name}: refused by one only: {theirs.refused.get(name)} {ours.refused.get(name)}"
    by_client = {pair.name for pair in pairs if pair.by_client}
    one, other = theirs.live(PLURALS), ours.live(PLURALS)
    for name in sorted(one.keys() | other.keys()):
        kept = left_to_kubectl(name.split(" ", 1)[1], ours.lines) if name.split(" ", 1)[1] in by_client else ()
        # Where the set declares nothing that kubectl had set, nothing is taken over, and nothing is to be reported.
        is_apart = kept == (".owned",)
        for path, difference in judging.differences(one.get(name, {}), other.get(name, {})):
            # What client-side kubectl had set and the set never declared is the user's: it stays, and is named.
            if is_apart and difference == ONLY_OURS:
                continue
            if not any(path.startswith(field) or field.startswith(path) for field in kept):
                yield f"{name}: {path}: {difference}"


def left_to_kubectl(name: str, lines: list[str]) -> tuple[str, ...]:
    """Return the fields that the engine says it left to client-side kubectl, up to the first list."""
    reported = [line for line in lines if f"/{name}: " in line]
    found = [line.partition("what is not declared stays as kubectl apply set it: ")[2] for line in reported]
    return (".owned", *(f".{field.split('[')[0]}" for fields in found if fields for field in fields.split(", ")))
