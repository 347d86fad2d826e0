# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands beside Mastodon in a namespace that may enforce PodSecurity `restricted`; tests/e2e has it enforced."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Site

STORE = {"volsync_endpoint": "https://s3.example.org", "volsync_bucket": "backups"}


def mover(**volume: Any) -> Any:
    found = Site(volsync_volumes=[{"name": "pages", **volume}], **STORE).objects("volsync")
    return found["ReplicationSource pages"]["spec"]["restic"].get("moverSecurityContext")


def test_the_caches_pod_starts_as_the_user_that_its_image_becomes() -> None:
    spec = Site().objects("dragonfly")["Dragonfly mastodon-redis"]["spec"]
    assert spec["podSecurityContext"] == {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999}
    assert spec["containerSecurityContext"] == Site().value("common_security_context")


def test_a_mover_of_a_named_user_passes() -> None:
    assert mover(user=991) == {
        "runAsUser": 991,
        "runAsGroup": 991,
        "fsGroup": 991,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize(("volume", "non_root"), [({"user": 0}, False), ({}, None)])
def test_root_and_the_image_decide_for_themselves(volume: dict[str, int], non_root: bool | None) -> None:
    context = mover(**volume) or {}
    assert context.get("runAsNonRoot") is non_root
