# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph that is not well: the doctor and the status say what Ceph says, nothing hangs, and all goes on afterwards."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import PROBE

from ...conftest import Run
from .. import programs
from ..programs import PROGRAMS, SECONDS, processes, silent_device
from ..support import eventually
from .store import Store

# An answer of the bucket is waited for 60 s, and asked for once more where what was written is removed again.
LIMIT = 240
CLUSTER = "CephCluster rook-ceph/rook-ceph"
NO_ANSWER = "cannot be reached: no whole answer came within 60 s"
LOOK = "Check Ceph's pods, and the disks below them: kubectl get pods -n rook-ceph."
BOOKS = ("doctor.yml", "status.yml")


def health(store: Store) -> dict[str, Any]:
    return programs.health(store.lab)


def row(run: Run, begins: str) -> str:
    """Return the one line that begins so, of those that a playbook says."""
    (found,) = (line for line in run.output.splitlines() if line.startswith(begins))
    return found


def said(store: Store, book: str) -> Run:
    """Run a playbook, or the role, that has to end in time, and not in a traceback."""
    given = json.dumps({"rook_install": False})
    run = store.role() if book == "role" else store.lab.playbook(book, "-e", given)
    assert run.seconds < LIMIT
    assert "Traceback" not in run.output
    return run


def at_once(store: Store) -> dict[str, Run]:
    """Run all three at the same time, as a disk that hangs is helped within a minute."""
    books = ("role", *BOOKS)
    with ThreadPoolExecutor() as pool:
        return dict(zip(books, pool.map(lambda book: said(store, book), books), strict=True))


def words(run: Run) -> str:
    """Return what a run printed, in one line, as Ansible breaks a message where it likes."""
    return " ".join(run.output.split())


def takes(store: Store, content: bytes) -> bool:
    """Whether the bucket takes something and gives it back."""
    bucket = store.bucket()
    bucket.put("backups/unwell", content)
    return bucket.get("backups/unwell") == content


def goes_on(store: Store, before: bytes | None) -> None:
    """Everything from before is there, and something new is taken; a run has nothing to do."""
    assert store.bucket().get(PROBE) == before is not None
    assert takes(store, os.urandom(16))
    assert store.well().recap["changed"] == 0


def full(store: Store) -> AbstractContextManager[None]:
    return programs.full_disk(store.lab)


@pytest.fixture(scope="module")
def before(store: Store) -> bytes | None:
    """What was stored when all was well."""
    return store.bucket().get(PROBE)


def test_a_warning_is_quoted(store: Store) -> None:
    assert health(store)["health"] == "HEALTH_WARN"
    message = health(store)["details"]["MGR_MODULE_DEPENDENCY"]["message"]
    warning = f"HEALTH_WARN: {message} (MGR_MODULE_DEPENDENCY)"
    assert row(said(store, "doctor.yml"), "warning  CephCluster") == f"warning  {CLUSTER}: {warning}"
    reported = row(said(store, "status.yml"), f"{CLUSTER}: Current, ")
    assert f" old, {warning}, asked " in reported


def test_an_error_is_quoted_without_the_warnings(store: Store, before: bytes | None) -> None:
    with full(store):
        doctor, status = (said(store, book) for book in BOOKS)
    error = row(doctor, "failed   CephCluster")
    assert error.startswith(f"failed   {CLUSTER}: Ceph is not well: HEALTH_ERR: ")
    assert "(OSD_OUT_OF_ORDER_FULL)" in error
    assert "MGR_MODULE_DEPENDENCY" not in error
    assert doctor.returncode != 0
    assert "(OSD_OUT_OF_ORDER_FULL)), " in row(status, f"{CLUSTER}: InProgress (")
    eventually(lambda: health(store)["health"], lambda found: found != "HEALTH_ERR", SECONDS)
    goes_on(store, before)


def test_a_disk_that_stands_still_for_a_while_goes_on_with_what_it_was_asked(
    store: Store, before: bytes | None
) -> None:
    (process,) = processes(PROGRAMS["disk"])
    os.kill(process, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(takes, store, b"while it stands still")
        try:
            with pytest.raises(TimeoutError):
                asked.result(15)
        finally:
            os.kill(process, signal.SIGCONT)
        assert asked.result(60)
    assert processes(PROGRAMS["disk"]) == {process}
    goes_on(store, before)


def test_a_disk_that_stands_still_is_started_anew_and_ends_every_run_in_time(
    store: Store, before: bytes | None
) -> None:
    (process,) = processes(PROGRAMS["disk"])
    os.kill(process, signal.SIGSTOP)
    runs = at_once(store)
    assert f"{CLUSTER}: Current, " in runs["status.yml"].output
    assert runs["role"].returncode == 0 or f"{LOOK}" in words(runs["role"])
    eventually(lambda: processes(PROGRAMS["disk"]) - {process}, bool, SECONDS)
    eventually(lambda: store.role().returncode, lambda found: found == 0, SECONDS)
    goes_on(store, before)


def test_a_device_that_does_not_answer_is_waited_for_no_longer_than_a_minute(
    store: Store, before: bytes | None
) -> None:
    with silent_device(store.lab):
        with pytest.raises(MastodonError, match="no whole answer came within 60 s"):
            takes(store, b"while it does not answer")
        runs = at_once(store)
    assert runs["doctor.yml"].returncode != 0
    assert NO_ANSWER in words(runs["doctor.yml"])
    assert LOOK in words(runs["doctor.yml"])
    # What Ceph still has in its memory can be read.
    assert runs["role"].returncode == 0 or LOOK in words(runs["role"])
    assert f"{CLUSTER}: Current, " in runs["status.yml"].output
    eventually(lambda: store.role().returncode, lambda found: found == 0, SECONDS)
    goes_on(store, before)
