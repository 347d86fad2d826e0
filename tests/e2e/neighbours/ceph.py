# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph below the tests' Mastodon: what is stored in its bucket."""

from __future__ import annotations

import subprocess
from functools import partial

import requests
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..bucket import address, secret
from ..programs import SECONDS
from ..support import eventually

KEPT = "backups/kept"


def keys(lab: Lab) -> AWS4Auth:
    """Return the keys of Mastodon's claim."""
    found = secret(lab, "mastodon-s3")
    return AWS4Auth(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], "us-east-1", "s3")


def stored(lab: Lab, name: str) -> str:
    """Return what the bucket has under a name, or why not."""
    try:
        answer = requests.get(f"{address(lab)}/{name}", auth=keys(lab), timeout=10)
    except (requests.RequestException, subprocess.CalledProcessError) as error:
        return type(error).__name__
    return answer.text if answer.ok else str(answer.status_code)


def store(lab: Lab, name: str) -> bool:
    """Store an object under a name, with that as its content; whether it was taken."""
    try:
        return requests.put(f"{address(lab)}/{name}", name, auth=keys(lab), timeout=10).ok
    except (requests.RequestException, subprocess.CalledProcessError):
        return False


def goes_on(lab: Lab, name: str) -> None:
    """Everything from before is there, and something new is taken."""
    eventually(partial(stored, lab, KEPT), lambda found: found == KEPT, SECONDS)
    assert eventually(partial(store, lab, name), bool, SECONDS)
    assert stored(lab, name) == name
