# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known errors in the log of a restore are explained in words, and what nobody foresaw is quoted."""

from __future__ import annotations

import json

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import causes


def line(**entry: object) -> str:
    return json.dumps({"level": "info", "ts": "2026-11-29T03:00:00Z", **entry})


def of_postgresql(severity: str, message: str) -> str:
    return line(logger="postgres", msg="record", record={"error_severity": severity, "message": message})


def test_of_an_import_its_first_error_counts_and_no_store_is_blamed() -> None:
    refused = line(logger="pg_dump", msg='pg_dump: error: connection to server at "db" failed: Connection refused')
    found = causes.find(f"{refused}\n{line(level='error', error='exit status 1')}")
    assert found
    assert found.why == 'connection to server at "db" failed: Connection refused'
    lacks = line(
        logger="pg_restore",
        msg='pg_restore: error: could not execute query: ERROR:  extension "adminpack" is not available',
    )
    found = causes.find(
        f"{lacks}\n{line(msg='pg_restore: error: could not execute query: ERROR:  function does not exist')}"
    )
    assert found
    assert found.why == "the image lacks an extension that the database has"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            of_postgresql("FATAL", "recovery ended before configured recovery target was reached"),
            "no transaction after that time is in the archive",
        ),
        (
            line(
                level="error",
                msg="Error",
                error="encountered an error while checking the presence of first needed WAL in the archive: WAL not found",
            ),
            "the first WAL that its base backup needs is missing",
        ),
        (
            line(level="error", msg="restore error", error="no target backup found"),
            "no base backup that ended before that time",
        ),
        (
            line(level="error", error="requested plugin is not available: barman"),
            "CloudNativePG does not know its Barman plugin",
        ),
        (
            of_postgresql("FATAL", "database files are incompatible with server"),
            "the backup is of another major version",
        ),
        (
            line(msg="ClientError: An error occurred (403) when calling the HeadBucket operation: Forbidden"),
            "the S3 server refuses the keys",
        ),
        ('ERROR: Could not connect to the endpoint URL: "http://s3/"', "the S3 server cannot be reached"),
        (
            of_postgresql("FATAL", "requested timeline 2 is not a child of this server's history"),
            "the archive goes on another timeline",
        ),
        (
            of_postgresql("FATAL", "WAL ends before consistent recovery point"),
            "WAL that was written while its base backup was made",
        ),
    ],
)
def test_a_known_cause_is_explained_with_what_to_do(said: str, why: str) -> None:
    found = causes.find(f"{line(msg='Starting')}\n{said}\n{line(level='error', msg='exited', error='exit status 1')}")
    assert found
    assert found.why.startswith(why)
    assert found.remedy


def test_an_unknown_cause_is_the_last_error_that_was_logged() -> None:
    log = [line(level="error", msg="first", error="one"), of_postgresql("FATAL", "the second"), line(msg="going down")]
    found = causes.find("\n".join(log))
    assert found
    assert (found.why, found.remedy) == ("PostgreSQL: the second", "")


@pytest.mark.parametrize("log", ["", "not JSON\n", '[]\n"text"\n1\n', line(msg="all is well")])
def test_a_log_without_an_error_has_no_cause(log: str) -> None:
    assert causes.find(log) is None
