# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time: a second is refused while the first lives, and goes on where one was killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import lease
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.lease import LEASE, Lease, LostLeaseError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi

SUBJECT = ObjectRef("coordination.k8s.io", "Lease", "ns", "db-rehearsal-run")


@pytest.fixture
def api() -> FakeApi:
    return FakeApi({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}}, served=(LEASE,))


@pytest.fixture
def held(api: FakeApi) -> Iterator[Lease]:
    """One that somebody holds, and renews only when the test does."""
    made = one(api)
    made.take(patient(), lambda line: None)
    yield made
    made.end()


def one(api: FakeApi) -> Lease:
    return Lease(api, "ns", "db-rehearsal-run", "rehearsal", {"of": "db"})


def patient() -> Deadline:
    return Deadline(60, sleep=lambda seconds: None)


def test_it_is_held_for_as_long_as_the_run_takes(api: FakeApi) -> None:
    made = one(api)
    made.take(patient(), lambda line: None)
    held = api.objects[SUBJECT]
    assert held["spec"]["leaseDurationSeconds"] == lease.SECONDS
    assert held["metadata"]["labels"] == {"of": "db"}
    made.check()
    made.end()
    assert SUBJECT not in api.objects


def test_a_second_run_is_refused_while_the_first_renews(
    api: FakeApi, held: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def renewed(seconds: float) -> None:
        if next(looks, None) == 2:
            held._apply(acquired=False)

    said: list[str] = []
    with pytest.raises(
        MastodonError, match=r"Lease ns/db-rehearsal-run: another rehearsal runs: it began at .* and is at work"
    ):
        one(api).take(Deadline(60, sleep=renewed), said.append)
    assert said[0].startswith("a rehearsal that began at ")
    assert api.objects[SUBJECT]["spec"]["holderIdentity"] == held._holder


def test_a_run_succeeds_one_that_gives_no_sign_of_life(api: FakeApi, held: Lease) -> None:
    second = one(api)
    second.take(patient(), lambda line: None)
    assert api.objects[SUBJECT]["spec"]["holderIdentity"] == second._holder
    second.end()


def test_who_was_succeeded_notices_and_leaves_it_to_the_other(
    api: FakeApi, held: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = one(api)
    second.take(patient(), lambda line: None)
    monkeypatch.setattr(lease, "_RENEW_EVERY", 0.0)
    held._renew()
    with pytest.raises(MastodonError, match="was lost: another run took it"):
        held.check()
    held.end()
    assert api.objects[SUBJECT]["spec"]["holderIdentity"] == second._holder
    second.end()


def test_of_two_that_begin_at_once_one_goes_on(api: FakeApi, held: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    second = one(api)
    monkeypatch.setattr(second, "holder", lambda: None)
    with pytest.raises(MastodonError, match="another rehearsal runs: it began a moment ago"):
        second.take(patient(), lambda line: None)


def test_who_slept_while_it_was_succeeded_notices_when_it_checks(api: FakeApi, held: Lease) -> None:
    second = one(api)
    second.take(patient(), lambda line: None)
    second.check()
    with pytest.raises(LostLeaseError, match="was lost: another run took it"):
        held.check()
    second.end()
    with pytest.raises(LostLeaseError):
        held.check()
