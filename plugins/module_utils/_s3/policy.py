# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bucket policies that let anyone read objects. Pure. This module util is PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Ours among the statements of others.
SID = "FediverseMastodonAnyoneReads"


def with_public_read(policy: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """Return the policy with our statement in it, and all others as they are.

    S3 allows what any statement allows, and `GetObject` of `bucket/*` is no right to list.
    """
    statements = policy.get("Statement") or []
    # A single statement may stand without a list around it.
    others = [statements] if isinstance(statements, Mapping) else list(statements)
    ours = {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    kept = [statement for statement in others if statement.get("Sid") != SID]
    return {"Version": "2012-10-17", **policy, "Statement": [*kept, ours]}
