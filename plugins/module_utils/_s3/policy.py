# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bucket policies that let anyone read what Mastodon shows to anyone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import checked, objects, parsed

# Ours among the statements of others.
SID = "FediverseMastodonAnyoneReads"
OWNER_SID = "FediverseMastodonOwnerUses"
_USER = "arn:aws:iam:::user/"
# Where Mastodon keeps what it shows, by the names of its models; copies of other servers' media are below cache. Archives of
# people's accounts are below backups and go to their owners only: https://github.com/mastodon/mastodon/blob/main/app/models/backup.rb
SHOWN = (
    "accounts",
    "cache",
    "custom_emojis",
    "media_attachments",
    "preview_card_providers",
    "preview_cards",
    "site_uploads",
)
HIDDEN = "backups"
# What ACLs are called that Mastodon gives to media, and to those of people who were suspended:
# https://github.com/mastodon/mastodon/blob/main/app/services/suspend_account_service.rb
PUBLIC, PRIVATE = "public-read", "private"


def public_read(bucket: str, *, anyone: bool = True, owner: str = "") -> dict[str, Any]:
    """Return the policy that has our statements only: that anyone reads, and that a user of Ceph may use what another one wrote.

    Principals are written as Rook reads them, which never lets go of a claim whose policy it cannot read:
    https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/object/policy.go
    """
    statements = [*([_anyone_reads(bucket)] if anyone else []), *([_owner_uses(bucket, owner)] if owner else [])]
    return {"Version": "2012-10-17", "Statement": statements} if statements else {}


def _anyone_reads(bucket: str) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/{folder}/*" for folder in SHOWN],
    }


def _owner_uses(bucket: str, user: str) -> dict[str, Any]:
    return {
        "Sid": OWNER_SID,
        "Effect": "Allow",
        "Principal": {"AWS": [f"{_USER}{user}"]},
        "Action": [f"s3:{verb}Object{part}" for verb in ("Get", "Put") for part in ("", "Acl")] + ["s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }


def with_owner(policy: Mapping[str, Any], bucket: str, user: str) -> dict[str, Any]:
    """Return the policy by which this user, and none before him, may use what others wrote."""
    ours = public_read(bucket, anyone=False, owner=user)
    return {**ours, **policy, "Statement": [*_others(policy, OWNER_SID), *ours["Statement"]]}


def owner_of(policy: Mapping[str, Any]) -> str:
    """Return the user who by our statement may use what others wrote, an empty text when there is none."""
    found = [one for one in _listed(policy) if one.get("Sid") == OWNER_SID]
    return str(found[0]["Principal"]["AWS"][0]).removeprefix(_USER) if found else ""


def with_public_read(policy: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """Return the policy with our statement in it, and all others as they are. S3 allows what any statement allows."""
    ours = public_read(bucket)
    return {**ours, **policy, "Statement": [*_others(policy, SID), *ours["Statement"]]}


def without_public_read(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy without our statement; empty when it has no other."""
    others = _others(policy, SID)
    return {**policy, "Statement": others} if others else {}


def has_others(policy: Mapping[str, Any]) -> bool:
    """Whether anybody else has a statement in it."""
    return any(statement.get("Sid") not in (SID, OWNER_SID) for statement in _listed(policy))


def is_readable_by_rook(policy: Mapping[str, Any]) -> bool:
    """Whether Rook can read the policy. The claim of a bucket whose policy it cannot read is never let go.

    https://github.com/rook/rook/blob/v1.20.6/pkg/operator/ceph/object/policy.go
    """
    statements = policy.get("Statement") or []
    return isinstance(statements, list) and all(
        _are_lists(statement.get("Principal") or {})
        and _are_lists({"": statement.get("Action"), "/": statement.get("Resource")})
        for statement in statements
    )


def _are_lists(fields: Any) -> bool:
    return isinstance(fields, Mapping) and all(isinstance(field, (list, type(None))) for field in fields.values())


def _others(policy: Mapping[str, Any], sid: str) -> list[Any]:
    return [statement for statement in _listed(policy) if statement.get("Sid") != sid]


def _listed(policy: Mapping[str, Any]) -> list[Any]:
    statements = policy.get("Statement") or []
    # A single statement may stand without a list around it.
    return [statements] if isinstance(statements, Mapping) else list(statements)


def read(body: bytes) -> dict[str, Any]:
    """Return the policy that a server answers. Raises WrongShapeError."""
    found = checked(parsed(body), kind=dict)
    # One may stand without a list around it.
    if not isinstance(found.get("Statement"), dict):
        checked(found, "Statement", kind=list)
        objects(found, "Statement")
    return found
