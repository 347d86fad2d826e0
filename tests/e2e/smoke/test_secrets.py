# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ExternalSecret follows a change in OpenBao."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import pytest

from ...conftest import Lab
from ..support import eventually
from .support import apply

# One that this Mastodon may read and does not have, as it backs up no volumes.
PATH = "mastodon/social.lab.test/restic"
SPACE = "mastodon"
NAME = "smoke"


@pytest.fixture
def following(installed: Lab) -> Iterator[Lab]:
    """The lab with a Secret that follows PATH through the store that site.yml made."""
    write(installed, "first")
    apply(
        installed,
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": NAME, "namespace": SPACE},
            "spec": {
                "refreshInterval": "1s",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault-mastodon"},
                "data": [{"secretKey": "word", "remoteRef": {"key": PATH, "property": "word"}}],
            },
        },
    )
    yield installed
    installed.kubectl("delete", "externalsecret", f"-n={SPACE}", NAME)
    installed.vault().secrets.kv.v2.delete_metadata_and_all_versions(PATH, mount_point="secret")


def write(lab: Lab, word: str) -> None:
    lab.vault().secrets.kv.v2.create_or_update_secret(PATH, {"word": word}, mount_point="secret")


def word(lab: Lab) -> str:
    data = lab.get("secret", f"-n={SPACE}", "--ignore-not-found", NAME).get("data", {})
    return b64decode(data.get("word", "")).decode()


def test_a_secret_follows_its_source(following: Lab) -> None:
    eventually(lambda: word(following), lambda found: found == "first")
    write(following, "second")
    eventually(lambda: word(following), lambda found: found == "second")
