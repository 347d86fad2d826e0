# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret's value is ever seen outside of Vault, Secrets and the pods that need it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ...conftest import Lab, Run
from .conftest import Story

OTHER_DOMAIN = "canary.lab.test"
# A shorter one, such as a user's name, may rightly be part of a word.
TELLING = 12
# Stored beside secrets, and no secrets.
OPEN_KEYS = ("email", "made-by")
KINDS_THAT_ALL_MAY_READ = ("configmaps", "events", "helmreleases", "externalsecrets", "deployments", "jobs")


def secrets_below(lab: Lab, folder: str) -> dict[str, str]:
    """Return every value that Vault keeps below a folder, by its path and key."""
    kv = lab.vault().secrets.kv.v2
    found = {}
    for name in kv.list_secrets(folder)["data"]["keys"]:
        answer = kv.read_secret_version(f"{folder}/{name}", raise_on_deleted_version=True)
        for key, value in answer["data"]["data"].items():
            if len(value) >= TELLING and "public" not in key and key not in OPEN_KEYS:
                found[f"{folder}/{name} {key}"] = value
    return found


def leaked(values: dict[str, str], text: str) -> list[str]:
    """Return the paths and keys of the values that stand in a text, as they are or in Base64."""
    return [
        name
        for name, value in values.items()
        if value in text or base64.b64encode(value.encode()).decode().rstrip("=") in text
    ]


@contextmanager
def watched_processes(seen: set[str]) -> Iterator[None]:
    """Collect the command lines and environments of this machine's processes until the block ends."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_text(errors="replace"))
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@pytest.fixture(scope="module")
def loud(lab: Lab, story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, set[str]]]:
    """Make another Mastodon's secrets as loudly as Ansible can, and watch the process list meanwhile."""
    assert story.first.returncode == 0
    given = {
        "dns": {"tsig-secret": "canary-tsig-secret"},
        "redis": {"password": "canary-redis-password"},
        "s3": {"access-key-id": "canary-access-key-id", "secret-access-key": "canary-secret-access-key"},
        "smtp": {"username": "canary-smtp-username", "password": "canary-smtp-password"},
    }
    settings = tmp_path_factory.mktemp("canary") / "settings.json"
    another = {"mastodon_name": "canary", "mastodon_local_domain": OTHER_DOMAIN}
    settings.write_text(json.dumps({**another, "vault_given_secrets": given}))
    seen: set[str] = set()
    with watched_processes(seen):
        run = lab.site("--tags", "vault", "--diff", "-vvvv", "-e", f"@{settings}")
    yield run, seen
    vault = lab.vault()
    for name in vault.secrets.kv.v2.list_secrets(f"mastodon/{OTHER_DOMAIN}")["data"]["keys"]:
        vault.secrets.kv.v2.delete_metadata_and_all_versions(f"mastodon/{OTHER_DOMAIN}/{name}")
    vault.sys.delete_policy(f"mastodon-{OTHER_DOMAIN}")
    vault.auth.kubernetes.delete_role(f"mastodon-{OTHER_DOMAIN}")


def test_making_secrets_at_the_highest_verbosity_shows_none(installed: Lab, loud: tuple[Run, set[str]]) -> None:
    run, processes = loud
    assert run.returncode == 0, run.output[-4000:]
    made = secrets_below(installed, f"mastodon/{OTHER_DOMAIN}")
    assert len(made) >= 8
    assert leaked(made, run.output) == []
    assert leaked(made, "\n".join(processes)) == []


def test_no_run_shows_one(installed: Lab, story: Story) -> None:
    values = secrets_below(installed, "mastodon/social.lab.test")
    for run in (story.empty_check, story.mistaken, story.first, story.second):
        assert leaked(values, run.output) == []


def test_what_others_may_read_in_the_cluster_holds_none(installed: Lab) -> None:
    values = secrets_below(installed, "mastodon/social.lab.test")
    for kind in KINDS_THAT_ALL_MAY_READ:
        assert leaked(values, json.dumps(installed.get(kind, "--all-namespaces"))) == []


def test_no_pod_logs_one(installed: Lab) -> None:
    values = secrets_below(installed, "mastodon/social.lab.test")
    pods: list[dict[str, Any]] = installed.get("pods", "--all-namespaces")["items"]
    for pod in pods:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        log = installed.kubectl("logs", f"--namespace={namespace}", name, "--all-containers", "--tail=2000")
        assert leaked(values, log) == [], f"in the log of {namespace}/{name}"


def test_the_api_servers_audit_log_holds_none(installed: Lab) -> None:
    values = secrets_below(installed, "mastodon/social.lab.test")
    assert leaked(values, (installed.state / "log/audit.log").read_text(errors="replace")) == []
