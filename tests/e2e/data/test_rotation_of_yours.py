# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What providers give is replaced while people read, post and upload, and nobody notices: both values work until the old one is taken away."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass

import pytest

from ...conftest import Lab, Run
from ..support import eventually
from ..zone import DOMAIN
from .archive import SPACE
from .load import Load, found, jobs, loaded
from .test_changed_secrets import written_otherwise
from .test_rotation import words

STILL = "still lets the old one in: take it away there"
# As VersityGW keeps accounts in a folder: https://github.com/versity/versitygw/wiki/Multi-Tenant
ACCOUNT = {"role": "admin", "userID": 0, "groupID": 0, "projectID": 0}


def give(lab: Lab, path: str, **values: str) -> dict[str, str]:
    """Write what comes next to a path, and return what is there."""
    before = lab.stored(path)
    following = {f"{key.replace('_', '-')}-next": value for key, value in values.items()}
    lab.vault().secrets.kv.v2.patch(f"mastodon/{DOMAIN}/{path}", following, mount_point="secret")
    return before


def second_mail_login(lab: Lab) -> None:
    """Have the mail server take another login as well."""
    old = lab.stored("smtp")
    username, password = "second", secrets.token_hex(16)
    both = f"{old['username']}:{old['password']} {username}:{password}"
    lab.kubectl("patch", "secret", "-n=mail", "mailpit", "-p", json.dumps({"stringData": {"login": both}}))
    restart(lab, "mail", "mailpit")
    give(lab, "smtp", username=username, password=password)


def second_pair_of_keys(lab: Lab) -> None:
    """Have the S3 server keep accounts, and one more of them."""
    access, secret = f"second{secrets.token_hex(4)}", secrets.token_hex(20)
    accounts = json.dumps({"accessAccounts": {access: {"access": access, "secret": secret, **ACCOUNT}}})
    lab.kubectl("create", "secret", "generic", "-n=object-store", "accounts", f"--from-literal=users.json={accounts}")
    container = {"name": "s3", "args": ["--port=:8333", "--health=/health", "--iam-dir=/data/iam", "posix"]}
    container["args"] += ["--sidecar=/data/attributes", "/data/buckets"]
    mount = {"name": "accounts", "mountPath": "/accounts"}
    copied = {
        "name": "accounts",
        "image": lab.get("statefulset", "-n=object-store", "s3")["spec"]["template"]["spec"]["initContainers"][0][
            "image"
        ],
        "command": ["sh", "-c", "mkdir -p /data/iam && cp /accounts/users.json /data/iam/users.json"],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, mount],
    }
    volumes = [{"name": "accounts", "secret": {"secretName": "accounts"}}]
    spec = {"containers": [container], "initContainers": [copied], "volumes": volumes}
    lab.kubectl(
        "patch", "statefulset", "-n=object-store", "s3", "-p", json.dumps({"spec": {"template": {"spec": spec}}})
    )
    lab.kubectl("rollout", "status", "statefulset", "-n=object-store", "s3", "--timeout=180s")
    give(lab, "s3", access_key_id=access, secret_access_key=secret)


def same_key_in_other_words(lab: Lab) -> None:
    """The name server has one key of that name, whose text may be another."""
    give(lab, "dns", tsig_secret=written_otherwise(lab.stored("dns")["tsig-secret"]))


def restart(lab: Lab, namespace: str, name: str) -> None:
    lab.kubectl("rollout", "restart", "statefulset", f"-n={namespace}", name)
    lab.kubectl("rollout", "status", "statefulset", f"-n={namespace}", name, "--timeout=180s")


GIVEN = {"smtp": second_mail_login, "s3": second_pair_of_keys, "dns": same_key_in_other_words}


@dataclass(frozen=True)
class Rotated:
    """A rotation under load: what was in Vault before it, and what it did to people."""

    secret: str
    before: dict[str, str]
    run: Run
    load: Load


@pytest.fixture(scope="module", params=list(GIVEN))
def rotated(installed: Lab, request: pytest.FixtureRequest) -> Rotated:
    secret: str = request.param
    GIVEN[secret](installed)
    before = installed.stored(secret)
    with loaded(installed, f"{secret}-{time.time_ns()}") as load:
        run = installed.playbook("rotate.yml", "-e", f"rotate={secret}")
    print(f"{secret}: {run.seconds:.0f} s, {load.asked} asked, failed: {load.failed or 'none'}, {load.posted} posts")
    return Rotated(secret, before, run, load)


def test_without_another_value_it_is_asked_for(installed: Lab) -> None:
    run = installed.playbook("rotate.yml", "-e", "rotate=smtp")
    assert run.returncode != 0
    assert "password-next missing: only you can give it. Run bao kv patch -mount=secret" in words(run.output)


def test_one_that_the_server_does_not_take_changes_nothing(installed: Lab) -> None:
    before = give(installed, "smtp", password="not given to the server")
    run = installed.playbook("rotate.yml", "-e", "rotate=smtp")
    assert run.returncode != 0
    assert "does not accept the login" in words(run.output)
    assert "Give it to the server first, beside the old one" in words(run.output)
    kv = installed.vault().secrets.kv.v2
    assert installed.stored("smtp")["password"] == before["password"]
    kv.create_or_update_secret(f"mastodon/{DOMAIN}/smtp", before, mount_point="secret")


def test_it_is_in_use_and_whether_the_old_one_still_works_is_said(installed: Lab, rotated: Rotated) -> None:
    assert rotated.run.returncode == 0, rotated.run.output[-6000:]
    following = {key.removesuffix("-next"): value for key, value in rotated.before.items() if key.endswith("-next")}
    assert installed.stored(rotated.secret) == {
        **{k: v for k, v in rotated.before.items() if not k.endswith("-next")},
        **following,
    }
    assert STILL in words(rotated.run.output)
    hidden = [value for key, value in rotated.before.items() if "password" in key or "secret" in key]
    assert hidden
    assert not [value for value in hidden if value in rotated.run.output]


def test_nobody_noticed_and_no_post_or_job_is_lost(installed: Lab, rotated: Rotated) -> None:
    load = rotated.load
    assert load.failed == {}
    assert 0 < load.posted == found(installed, load)
    left = eventually(lambda: jobs(installed), lambda now: not (now["queued"] or now["retries"]))
    assert left["dead"] == 0


def test_pods_run_with_it(installed: Lab, rotated: Rotated) -> None:
    names = {"smtp": "SMTP_PASSWORD", "s3": "AWS_SECRET_ACCESS_KEY"}
    keys = {"smtp": "password", "s3": "secret-access-key"}
    if rotated.secret in names:
        command = ("exec", f"-n={SPACE}", "deploy/mastodon-sidekiq-all-queues", "-c=mastodon", "--", "printenv")
        value = installed.kubectl(*command, names[rotated.secret]).strip()
        assert value == installed.stored(rotated.secret)[keys[rotated.secret]]


def test_the_next_run_of_site_changes_nothing(installed: Lab, rotated: Rotated) -> None:
    run = installed.site()
    assert (run.returncode, run.recap["changed"]) == (0, 0), f"{rotated.secret}: {run.output[-4000:]}"
