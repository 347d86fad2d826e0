# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why PostgreSQL was not restored, from the log of the Job that tried."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at


class Cause(NamedTuple):
    """What a log says, and what that means."""

    pattern: str
    why: str
    remedy: str


# The first that is found counts: what CloudNativePG, its plugin, Barman and PostgreSQL say, as seen and as their sources have it.
_CAUSES = (
    Cause(
        "recovery ended before configured recovery target was reached",
        "no transaction after that time is in the archive, and PostgreSQL goes to a time only past one",
        "Choose an earlier time, or leave at out for the newest.",
    ),
    Cause(
        "while checking the presence of first needed WAL",
        "the first WAL that its base backup needs is missing from the archive, so that this backup is worth nothing",
        "Make a new base backup, and look for who deletes objects from the bucket.",
    ),
    Cause(
        "no target backup found",
        "no base backup that ended before that time is in the bucket",
        "Check the bucket, its path and the server name in the ObjectStore; then make a base backup.",
    ),
    Cause(
        "could not find redo location|could not locate required checkpoint record|WAL ends before end of online backup"
        "|WAL ends before consistent recovery point",
        "WAL that was written while its base backup was made is missing from the archive",
        "Make a new base backup, and look for who deletes objects from the bucket.",
    ),
    Cause(
        "requested timeline .* is not a child of this server's history",
        "the archive goes on another timeline than its base backup",
        "Make a new base backup, which begins on the new timeline.",
    ),
    Cause(
        "database files are incompatible with server",
        "the backup is of another major version of PostgreSQL than the image",
        "Restore with the image of that version.",
    ),
    Cause(
        "Expected empty archive",
        "it would archive to where the origin's archive is",
        "Remove the entry of plugins from the restored Cluster, or give it another serverName.",
    ),
    Cause(
        "InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|Forbidden|\\b403\\b|missing .*credentials",
        "the S3 server refuses the keys, or the bucket to them",
        "Put the right keys at the Vault path of backups, and run fediverse.mastodon.site.",
    ),
    Cause("NoSuchBucket|bucket .* does not exist", "the bucket is not there", "Correct cnpg_backup_bucket."),
    Cause(
        "Could not connect to the endpoint|EndpointConnectionError|ConnectTimeout|Connection refused|Name or service not known",
        "the S3 server cannot be reached",
        "Check cnpg_backup_endpoint, and policies that limit what leaves the namespace.",
    ),
    Cause("No space left on device", "the volume is too small", "Enlarge the storage of the origin first."),
    Cause(
        "requested plugin is not available",
        "CloudNativePG does not know its Barman plugin",
        "Check the plugin's pods in CloudNativePG's namespace.",
    ),
    Cause(
        "assignment to entry in nil map",
        "the ObjectStore is not complete",
        "Check its configuration: https://cloudnative-pg.io/plugin-barman-cloud/docs/troubleshooting/",
    ),
)
_LOUD = ("FATAL", "PANIC")
# What the programs of an import say, each line in a record of its own.
_IMPORT = re.compile(r'pg_(?:dump|restore): error: ((?:[^"\\]|\\.)+)')
_OF_IMPORTS = (
    Cause(
        "extension .{1,70} is not available|could not open extension control file",
        "the image lacks an extension that the database has",
        "Choose an image that has it, or drop it in the database: DROP EXTENSION.",
    ),
    Cause("No space left on device", "the volume is too small", "Raise cnpg_cluster_storage_size."),
)


def find(log: str) -> Cause | None:
    """Return the cause that a log names, or else what it says last of an error; None when it has none."""
    errors = _IMPORT.findall(log)
    for cause in _OF_IMPORTS if errors else _CAUSES:
        if re.search(cause.pattern, log):
            return cause
    if errors:
        return Cause("", errors[0].replace('\\"', '"').replace("\\n", " ").strip(), "")
    said = [line for line in map(_error, log.splitlines()) if line]
    return Cause("", said[-1], "") if said else None


def _error(line: str) -> str:
    """Return what a line of CloudNativePG's log, which is JSON, says of an error."""
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    if at(entry, "record.error_severity", "") in _LOUD:
        return f"PostgreSQL: {at(entry, 'record.message', '')}"
    if at(entry, "level", "") != "error":
        return ""
    return ": ".join(part for part in (at(entry, "msg", ""), at(entry, "error", "")) if part)
