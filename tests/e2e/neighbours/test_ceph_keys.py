# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New keys of Mastodon's bucket, as an administrator of Ceph makes them: one run brings them to all pods, and nothing is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from ...conftest import Lab, Run
from ..bucket import secret
from ..programs import OPERATOR, SECONDS, admin
from ..support import eventually, served
from ..zone import DOMAIN
from .ceph import KEPT, goes_on, store, stored

PODS = {
    "deploy/mastodon-web": "mastodon-web",
    "deploy/mastodon-sidekiq-all-queues": "mastodon",
}


@dataclass(frozen=True)
class Renewed:
    """The keys before and after, what a run said in between, and the one that brought the new ones."""

    lab: Lab
    before: dict[str, str]
    after: dict[str, str]
    between: Run
    run: Run


def user(lab: Lab) -> str:
    """Return whom Rook made for the claim."""
    uid = lab.get("objectbucketclaim", "-n=mastodon", "mastodon-s3")["metadata"]["uid"]
    (found,) = (name for name in json.loads(admin(lab, "radosgw-admin", "user", "list")) if name.endswith(uid))
    return str(found)


@pytest.fixture(scope="module")
def renewed(installed: Lab) -> Renewed:
    """Give the claim's user another key and take the first one away; then let Rook write the claim's Secret, as it does when it starts."""
    assert store(installed, KEPT)
    before, name = secret(installed, "mastodon-s3"), user(installed)
    key, whose = ("radosgw-admin", "key"), (f"--uid={name}", "--key-type=s3")
    admin(installed, *key, "create", *whose, "--gen-access-key", "--gen-secret")
    admin(installed, *key, "rm", *whose, f"--access-key={before['AWS_ACCESS_KEY_ID']}")
    eventually(lambda: stored(installed, KEPT), lambda found: found == "403")
    between = installed.site()
    installed.kubectl("rollout", "restart", *OPERATOR)
    after = eventually(lambda: secret(installed, "mastodon-s3"), lambda found: found != before, SECONDS)
    return Renewed(installed, before, after, between, installed.site())


def test_a_run_before_that_says_how_rook_writes_them(renewed: Renewed) -> None:
    assert renewed.between.returncode != 0
    said = " ".join(renewed.between.output.split())
    assert (
        "InvalidAccessKeyId. ObjectBucketClaim mastodon/mastodon-s3 is bound, and Rook writes its Secret again" in said
    )


def test_one_run_brings_them_to_all_pods_and_shows_none(renewed: Renewed) -> None:
    assert renewed.run.returncode == 0, renewed.run.output[-4000:]
    for deployment, container in PODS.items():
        command = ("exec", "-n=mastodon", deployment, f"-c={container}", "--", "printenv", "AWS_SECRET_ACCESS_KEY")
        assert renewed.lab.kubectl(*command).strip() == renewed.after["AWS_SECRET_ACCESS_KEY"]
    shown = [
        value for data in (renewed.before, renewed.after) for value in data.values() if value in renewed.run.output
    ]
    assert shown == []


def test_mastodon_answers_and_nothing_is_lost(renewed: Renewed) -> None:
    assert served(renewed.lab, DOMAIN) == DOMAIN
    goes_on(renewed.lab, "backups/renewed")


def test_the_next_run_changes_nothing(renewed: Renewed) -> None:
    run = renewed.lab.site()
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
