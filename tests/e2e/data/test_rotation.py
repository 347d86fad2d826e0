# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are replaced while people read and post; killed anywhere, the next run goes on. What fails meanwhile is counted and printed."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from itertools import pairwise

import pytest
from mastodon_lab.proof.session import sign_in

from ...conftest import Lab, Run
from ..support import eventually, served
from ..zone import DOMAIN
from .archive import SPACE, Archive
from .load import Load, found, jobs, loaded
from .test_whole_loss import site_of

# Of what is asked meanwhile. A cache of one pod starts anew, which takes it a few seconds.
MOST_FAILED = {"database": 0.005, "redis": 0.15}
PATHS = {"database": "postgresql", "redis": "redis"}


def versions(lab: Lab, name: str) -> list[dict[str, str]]:
    """Every version of a path, the oldest first."""
    kv, path = lab.vault().secrets.kv.v2, f"mastodon/{DOMAIN}/{name}"
    numbers = sorted(map(int, kv.read_secret_metadata(path, mount_point="secret")["data"]["versions"]))
    read = kv.read_secret_version
    return [read(path, one, mount_point="secret", raise_on_deleted_version=True)["data"]["data"] for one in numbers]


def words(output: str) -> str:
    return " ".join(output.split())


@dataclass(frozen=True)
class Rotated:
    """A rotation under load, with what it did to people."""

    secret: str
    old: str
    run: Run
    load: Load


@pytest.fixture(scope="module", params=list(PATHS))
def rotated(installed: Lab, request: pytest.FixtureRequest) -> Rotated:
    secret: str = request.param
    old = installed.stored(PATHS[secret])["password"]
    with loaded(installed, f"{secret}-{time.time_ns()}", reconnecting=secret == "database") as load:
        run = installed.playbook("rotate.yml", "-e", f"rotate={secret}")
    print(f"{secret}: {run.seconds:.0f} s, {load.asked} asked, failed: {load.failed or 'none'}, {load.posted} posts")
    return Rotated(secret, old, run, load)


def test_check_mode_says_what_would_be_done_and_does_nothing(installed: Lab) -> None:
    before = installed.vault_versions()
    for secret in PATHS:
        run = installed.playbook("rotate.yml", "-e", f"rotate={secret}", "--check")
        assert run.returncode == 0, run.output[-4000:]
        assert f"would rotate {secret}: password " in words(run.output)
    assert installed.vault_versions() == before


def test_it_is_replaced_and_the_old_one_opens_nothing(installed: Lab, rotated: Rotated) -> None:
    assert rotated.run.returncode == 0, rotated.run.output[-6000:]
    said, held = words(rotated.run.output), installed.stored(PATHS[rotated.secret])
    assert re.search(
        rf"rotated {rotated.secret}: password [0-9a-f]{{12}} → [0-9a-f]{{12}}; .* refuses the old one", said
    )
    assert held.keys() == {"password"}
    assert held["password"] != rotated.old
    assert not [value for value in (rotated.old, held["password"]) if value in rotated.run.output]
    assert opens(installed, rotated.secret, held["password"])
    assert not opens(installed, rotated.secret, rotated.old)


def opens(lab: Lab, secret: str, password: str) -> bool:
    """Return whether a password opens the server, asked from a pod of Mastodon's."""
    asked = {
        "database": "import os, psycopg2\npsycopg2.connect(host=os.environ['DB_HOST'], dbname='mastodon', user='mastodon', password=word)",
        "redis": "import os, redis\nredis.Redis(os.environ['REDIS_HOST'], password=word).ping()",
    }[secret]
    program = f"word = input()\n{asked}\nprint('opened')"
    command = ("exec", "--stdin", f"-n={SPACE}", "deploy/mastodon-web", "-c=mastodon-web", "--", "sh", "-c")
    return "opened" in lab.kubectl(*command, f'python3 -c "{program}" 2>&1 || true', given=f"{password}\n")


def test_the_old_one_can_still_be_read_in_an_older_version(installed: Lab, rotated: Rotated) -> None:
    assert rotated.old in [one["password"] for one in versions(installed, PATHS[rotated.secret])]


def test_hardly_anybody_noticed_and_no_post_is_lost(installed: Lab, rotated: Rotated) -> None:
    load = rotated.load
    assert sum(load.failed.values()) <= MOST_FAILED[rotated.secret] * load.asked, load.failed
    assert load.posted > 0
    # One whose answer was cut off may be there as well.
    assert load.posted <= found(installed, load) <= load.posted + sum(load.failed.values())
    left = eventually(lambda: jobs(installed), lambda now: not (now["queued"] or now["retries"]))
    assert left["dead"] == 0


def test_what_helped_meanwhile_is_gone(installed: Lab, rotated: Rotated) -> None:
    assert Archive(installed).ask("SELECT count(*) FROM pg_roles WHERE rolname LIKE '%_rotation'") == "0"
    assert installed.get("secrets", f"-n={SPACE}", "-l=fediverse.mastodon/second-login-of")["items"] == []


def test_it_is_kept_and_reported_with_fingerprints_only(installed: Lab, rotated: Rotated) -> None:
    [record] = installed.get(
        "configmaps", f"-n={SPACE}", f"-l=fediverse.mastodon/rotation-of=mastodon.{rotated.secret}"
    )["items"]
    assert record["data"]["failure"] == ""
    held = installed.stored(PATHS[rotated.secret])["password"]
    assert not [value for value in (rotated.old, held) if value in json.dumps(record)]
    status = installed.playbook("status.yml")
    assert f"Rotation of {rotated.secret} of mastodon/mastodon: Done" in words(status.output)
    assert record["data"]["change"] in words(status.output)


def test_the_next_run_of_site_changes_nothing(installed: Lab, rotated: Rotated) -> None:
    run = installed.site()
    assert (run.returncode, run.recap["changed"]) == (0, 0), f"{rotated.secret}: {run.output[-4000:]}"


@pytest.mark.parametrize("moments", [(20.0, 45.0, 75.0)], ids=["thrice"])
def test_killed_at_any_time_the_next_run_goes_on_with_the_same_value(
    installed: Lab, moments: tuple[float, ...]
) -> None:
    begun = len(versions(installed, "postgresql"))
    for moment in moments:
        installed.killed("playbooks/rotate.yml", moment, "-e", "rotate=database")
        assert served(installed, DOMAIN) == DOMAIN
    run = installed.playbook("rotate.yml", "-e", "rotate=database")
    assert run.returncode == 0, run.output[-6000:]
    assert opens(installed, "database", installed.stored("postgresql")["password"])
    # What was prepared is what came into use, also where a run was over before it could be killed and the next began anew.
    for before, after in pairwise(versions(installed, "postgresql")[begun - 1 :]):
        following = before.get("password-next")
        assert following in (None, after.get("password-next"), after["password"])
    assert served(installed, DOMAIN) == DOMAIN


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "Variable rotate: is not set. Add -e rotate=NAME, with one of: database, redis"),
        (
            ("-e", "rotate=active_record_encryption"),
            "Secret active_record_encryption: is not rotated: Mastodon reads one key",
        ),
        (("-e", "rotate=vapid"), "Add -e rotate_accept=push_subscriptions_end if you mean it"),
        (("-e", "rotate=secret_key_base"), "Add -e rotate_accept=everybody_is_signed_out if you mean it"),
        # That of the one is none of the other's.
        (
            ("-e", "rotate=secret_key_base", "-e", "rotate_accept=push_subscriptions_end"),
            "Add -e rotate_accept=everybody_is_signed_out if you mean it",
        ),
        (
            ("-e", "rotate=s3", "-e", "rook_backend=rook"),
            "its keys are not rotated: Rook gives a claim one pair, and no other beside it",
        ),
    ],
)
def test_what_cannot_be_or_was_not_meant_is_refused(installed: Lab, given: tuple[str, ...], sentence: str) -> None:
    before = installed.vault_versions()
    run = installed.playbook("rotate.yml", *given)
    assert run.returncode != 0
    assert sentence in words(run.output)
    assert installed.vault_versions() == before


@pytest.mark.parametrize(
    ("secret", "accepted", "replaced"),
    [
        ("vapid", "push_subscriptions_end", {"vapid-private-key", "vapid-public-key"}),
        ("secret_key_base", "everybody_is_signed_out", {"secret-key-base"}),
    ],
)
def test_what_has_a_consequence_is_replaced_alone_when_that_is_named(
    installed: Lab, secret: str, accepted: str, replaced: set[str]
) -> None:
    before, app = installed.stored("app"), sign_in(site_of(installed))
    run = installed.playbook("rotate.yml", "-e", f"rotate={secret}", "-e", f"rotate_accept={accepted}")
    assert run.returncode == 0, run.output[-6000:]
    after = installed.stored("app")
    assert {key for key in {*before, *after} if before.get(key) != after.get(key)} == replaced
    assert not [one[key] for one in (before, after) for key in replaced if one[key] in run.output]
    # Pods run with it, and apps are signed in as before.
    for pod in ("web", "sidekiq-all-queues"):
        command = ("exec", f"-n={SPACE}", f"deploy/mastodon-{pod}", "--", "printenv")
        for key in replaced:
            assert installed.kubectl(*command, key.upper().replace("-", "_")).strip() == after[key]
    assert app.get("/api/v1/accounts/verify_credentials")["username"] == "prover"
    again = installed.site()
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-4000:]
