# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role rook claims from Rook."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import public_read, with_public_read

from .conftest import Site

BUCKET = "mastodon-mastodon-s3"


def claim(**settings: Any) -> dict[str, Any]:
    rook = {"rook_backend": "rook", "rook_storage": {"deviceFilter": "^sdb$"}, **settings}
    spec: dict[str, Any] = Site(**rook).objects("rook")["ObjectBucketClaim mastodon-s3"]["spec"]
    return spec


def test_rook_keeps_the_policy_that_the_role_proves() -> None:
    asked = claim()["additionalConfig"]
    assert json.loads(asked["bucketPolicy"]) == with_public_read({}, BUCKET) == public_read(BUCKET)
    assert "bucketPolicy" in Site().value("rook_base_values")["obcAllowAdditionalConfigFields"].split(",")


@pytest.mark.parametrize(
    "settings",
    [{"rook_install": False}, {"rook_anonymous_read": False}],
    ids=["a Rook that may not allow it", "nobody reads"],
)
def test_a_policy_is_claimed_only_where_it_may_be(settings: dict[str, Any]) -> None:
    assert "additionalConfig" not in claim(**settings)


def test_a_bound_on_the_size_stands_beside_it() -> None:
    assert set(claim(rook_bucket_size="100G")["additionalConfig"]) == {"maxSize", "bucketPolicy"}
    assert claim(rook_bucket_size="100G", rook_install=False)["additionalConfig"] == {"maxSize": "100G"}
