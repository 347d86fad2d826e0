# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that somebody changes in Vault is what everything uses after one run.

Those of mail, of backups and of volumes are changed for the second Mastodon, in tests/e2e/neighbours.
"""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from mastodon_stand_in.passwords import matches

from ...conftest import Lab, Run
from ..support import served
from ..zone import DOMAIN

SPACE = "mastodon"
MARK = "fediverse.mastodon/secrets"
# What is made here follows its secret; a login to a server elsewhere would have to be changed there, too.
CHANGED = {
    "app": {"secret-key-base": "5e" * 64},
    "postgresql": {"password": "another-password-of-the-database"},
    "redis": {"password": "another-password-of-the-cache"},
}
# What the owner signed in with first, which Mastodon keeps by itself since.
ADMIN = {"password": "another-password-of-the-owner"}
# Of base64, in its order.
DIGITS = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}+/"


def written_otherwise(key: str) -> str:
    """Return another text for the same key, which its server thus still knows: the last bits before the padding count for nothing."""
    digits = key.rstrip("=")
    assert digits != key
    last = DIGITS[DIGITS.index(digits[-1]) ^ 1]
    return f"{digits[:-1]}{last}{'=' * (len(key) - len(digits))}"


@pytest.fixture(scope="module")
def changed(installed: Lab) -> Iterator[Run]:
    """One run after four of the secrets were changed in Vault; what was there before is put back afterwards."""
    kv = installed.vault().secrets.kv.v2
    before = {name: installed.stored(name) for name in (*CHANGED, "dns", "admin")}
    dns = {"tsig-secret": written_otherwise(installed.stored("dns")["tsig-secret"])}
    for name, data in {**CHANGED, "dns": dns, "admin": ADMIN}.items():
        kv.patch(f"mastodon/{DOMAIN}/{name}", dict(data), mount_point="secret")
    yield installed.site()
    for name, data in before.items():
        kv.create_or_update_secret(f"mastodon/{DOMAIN}/{name}", data, mount_point="secret")
    assert installed.site().returncode == 0


def test_one_run_carries_the_change_through_and_names_who_has_the_older_one_meanwhile(changed: Run) -> None:
    assert changed.returncode == 0, changed.output[-6000:]
    for reported in (
        "configured ExternalSecret mastodon/mastodon-db-owner: its Secret has an older password than Vault path",
        "configured ExternalSecret mastodon/mastodon-app: its Secret has an older secret-key-base",
        "everybody will be signed out",
        "Deployment mastodon/mastodon-web runs with an older value of Secret mastodon/mastodon-app, Secret mastodon/mastodon-db",
        "StatefulSet mastodon/mastodon-redis runs with an older value of Secret mastodon/mastodon-redis until",
    ):
        assert reported in changed.output
    assert not [value for data in CHANGED.values() for value in data.values() if value in changed.output]


@pytest.mark.parametrize(
    ("workload", "container", "variable", "path"),
    [
        ("deploy/mastodon-web", "mastodon-web", "SECRET_KEY_BASE", "app"),
        ("deploy/mastodon-web", "mastodon-web", "DB_PASS", "postgresql"),
        ("deploy/mastodon-streaming", "mastodon-streaming", "DB_PASS", "postgresql"),
        ("deploy/mastodon-sidekiq-all-queues", "mastodon", "REDIS_PASSWORD", "redis"),
        ("statefulset/mastodon-redis", "dragonfly", "DFLY_requirepass", "redis"),
    ],
)
@pytest.mark.usefixtures("changed")
def test_what_runs_has_the_new_value(installed: Lab, workload: str, container: str, variable: str, path: str) -> None:
    [value] = CHANGED[path].values()
    command = ("exec", f"-n={SPACE}", workload, f"-c={container}", "--", "printenv", variable)
    assert installed.kubectl(*command).strip() == value


@pytest.mark.usefixtures("changed")
def test_mastodon_answers_and_reaches_its_database(installed: Lab) -> None:
    assert served(installed, DOMAIN) == DOMAIN
    tootctl = ("exec", f"-n={SPACE}", "deploy/mastodon-web", "-c=mastodon-web", "--", "tootctl")
    assert "OK" in installed.kubectl(*tootctl, "accounts", "modify", "owner")


@pytest.mark.usefixtures("changed")
def test_the_owners_password_is_the_owners_whatever_vault_keeps(installed: Lab) -> None:
    assert installed.stored("admin")["password"] == ADMIN["password"]
    kv, path = installed.vault().secrets.kv.v2, f"mastodon/{DOMAIN}/admin"
    versions = sorted(map(int, kv.read_secret_metadata(path, mount_point="secret")["data"]["versions"]))
    first = kv.read_secret_version(path, versions[-2], mount_point="secret", raise_on_deleted_version=True)
    sql = "SELECT encrypted_password FROM users ORDER BY id LIMIT 1"
    psql = ("psql", "--tuples-only", "--no-align", "--dbname=mastodon", f"-c{sql}")
    kept = installed.kubectl("exec", f"-n={SPACE}", "mastodon-db-1", "-c=postgres", "--", *psql).strip()
    assert matches(first["data"]["data"]["password"], kept)


@pytest.mark.usefixtures("changed")
def test_who_writes_records_and_certificates_has_the_new_credential(installed: Lab) -> None:
    release = installed.get("helmrelease", "-n=external-dns", "external-dns-mastodon")
    pods = installed.get("pods", "-n=external-dns", "-l=app.kubernetes.io/instance=external-dns-mastodon")["items"]
    running = [pod["metadata"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    wanted = release["spec"]["values"]["podAnnotations"][MARK]
    assert [metadata["annotations"][MARK] for metadata in running] == [wanted]
    for namespace in ("external-dns", "gateway-system"):
        [source] = installed.get("externalsecret", f"-n={namespace}")["items"]
        assert "force-sync" in source["metadata"]["annotations"]


@pytest.mark.usefixtures("changed")
def test_the_next_run_changes_nothing(installed: Lab) -> None:
    mark = installed.audit_mark()
    run = installed.site()
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
    assert installed.our_writes(mark) == []
