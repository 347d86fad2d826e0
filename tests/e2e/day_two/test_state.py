# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Mastodon keeps what it knows: bucket, database and job queue, asked and refused as promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from ...conftest import Lab
from ..bucket import PROBE, SECRET_PROBE, secret
from ..bucket import address as bucket

REDIS = "mastodon-redis"
# As if somebody had moved the data of the Mastodon that runs here.
MOVED = {
    "mastodon_moved_from": [
        "http://rook-ceph-rgw-media.rook-ceph.svc/mastodon-mastodon-s3",
        "mastodon-db-rw.mastodon.svc/mastodon",
        "mastodon-redis.mastodon.svc",
    ]
}
# Everything of the state roles that the lab's own settings leave out.
EVERYTHING = {
    **MOVED,
    "rook_backend": "external",
    "rook_external_bucket": "mastodon",
    "rook_claim_name": "other-s3",
    "cnpg_pooler": True,
    "cnpg_cluster_wal_storage_size": "1Gi",
    "cnpg_backup": True,
    "cnpg_backup_endpoint": "https://s3.example.org",
    "cnpg_backup_bucket": "backups",
    "volsync_volumes": [{"name": "mastodon-system", "user": 991}, {"name": "other", "copy_method": "Direct"}],
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "backups",
    "vault_given_secrets": {
        "postgresql-backup": {"access-key-id": "key", "secret-access-key": "secret"},
        "restic": {"access-key-id": "key", "secret-access-key": "secret"},
    },
}


def test_anyone_can_read_an_object_and_nobody_can_list_the_bucket(installed: Lab) -> None:
    address = bucket(installed)
    assert requests.get(f"{address}/{PROBE}", timeout=10).status_code == 200
    assert requests.get(f"{address}?list-type=2", timeout=10).status_code == 403
    assert requests.get(f"{address}/{SECRET_PROBE}", timeout=10).status_code == 403
    assert requests.put(f"{address}/{PROBE}", b"mine", timeout=10).status_code == 403


JOB = ("cronjob", "-n=mastodon", "mastodon-media-remove", "--ignore-not-found")
STATE_TAGS = ("--tags", "rook,mastodon")
OFF = (*STATE_TAGS, "-e", json.dumps({"rook_anonymous_read": False, "mastodon_media_retention_days": 0}))


def test_media_for_anyone_and_a_job_go_when_they_are_turned_off_and_come_back(installed: Lab) -> None:
    probe = f"{bucket(installed)}/{PROBE}"
    shown = installed.site(*OFF, "--check")
    assert "deleted CronJob mastodon/mastodon-media-remove" in shown.output
    assert (bool(installed.get(*JOB)), requests.get(probe, timeout=10).status_code) == (True, 200)
    run = installed.site(*OFF)
    assert run.returncode == 0, run.output[-4000:]
    assert (bool(installed.get(*JOB)), requests.get(probe, timeout=10).status_code) == (False, 403)
    assert installed.site(*OFF).recap["changed"] == 0
    run = installed.site(*STATE_TAGS)
    assert run.returncode == 0, run.output[-4000:]
    assert (bool(installed.get(*JOB)), requests.get(probe, timeout=10).status_code) == (True, 200)


def test_a_bucket_elsewhere_is_taken_with_its_keys_from_vault(installed: Lab) -> None:
    settings = {
        "rook_backend": "external",
        "rook_external_endpoint": installed.facts["s3_endpoint"],
        "rook_external_bucket": "mastodon",
        "rook_claim_name": "elsewhere-s3",
        **MOVED,
    }
    run = installed.site("--tags", "rook", "-e", json.dumps(settings))
    assert run.returncode == 0, run.output[-4000:]
    stored = installed.stored("s3")
    assert secret(installed, "elsewhere-s3") == {
        "AWS_ACCESS_KEY_ID": stored["access-key-id"],
        "AWS_SECRET_ACCESS_KEY": stored["secret-access-key"],
    }
    service = installed.get("service", "-n=object-store", "s3")["spec"]
    address = f"http://{service['clusterIP']}:{service['ports'][0]['port']}/mastodon"
    assert requests.get(f"{address}/{PROBE}", timeout=10).status_code == 200
    assert requests.get(f"{address}?list-type=2", timeout=10).status_code == 403
    again = installed.site("--tags", "rook", "-e", json.dumps(settings))
    assert again.recap["changed"] == 0
    installed.kubectl("delete", "externalsecret", "-n=mastodon", "elsewhere-s3")


@contextmanager
def policy(lab: Lab, name: str) -> Iterator[None]:
    """Let the lab's Redis treat a full memory so, and then as before."""

    def redis(*command: str) -> None:
        login = ("--no-auth-warning", "-a", secret(lab, REDIS)["password"])
        assert lab.kubectl("exec", "-n=cache", "redis-0", "--", "redis-cli", *login, *command).strip() == "OK"

    redis("CONFIG", "SET", "maxmemory-policy", name)
    try:
        yield
    finally:
        redis("CONFIG", "SET", "maxmemory-policy", "noeviction")


def test_a_redis_that_evicts_is_refused(installed: Lab) -> None:
    settings = {"dragonfly_backend": "external", "dragonfly_external_host": installed.facts["redis_host"], **MOVED}
    with policy(installed, "allkeys-lru"):
        run = installed.site("--tags", "dragonfly", "-e", json.dumps(settings))
    assert run.returncode != 0
    assert "may not hold jobs: its maxmemory-policy is allkeys-lru, so it throws jobs away" in run.output
    assert "Traceback" not in run.output
    run = installed.site("--tags", "dragonfly", "-e", json.dumps(settings))
    assert run.returncode == 0, run.output[-4000:]


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "absent": ({"cnpg_database": "absent"}, 'mastodon cannot use absent: database "absent" does not exist'),
    "other_port": ({"cnpg_external_port": 5433}, "Service mastodon/mastodon-db-rw: has no port 5433"),
    "nobody": ({"cnpg_external_host": "nobody.mastodon.svc"}, "Service mastodon/nobody: does not exist"),
}


def test_an_existing_database_that_mastodon_cannot_use_is_refused(installed: Lab, tmp_path: Path) -> None:
    given = {"cnpg_backend": "external", "cnpg_external_host": "mastodon-db-rw.mastodon.svc", **MOVED}
    hosts = {name: {**given, **settings} for name, (settings, _unused) in UNUSABLE.items()}
    run = installed.site_of_many(tmp_path, hosts, "--tags", "cnpg")
    for name, (_unused, sentence) in UNUSABLE.items():
        assert sentence in run.refusal_of(name)
    assert "Traceback" not in run.output


def test_an_existing_database_is_taken_as_it_is(installed: Lab) -> None:
    mark = installed.audit_mark()
    settings = {"cnpg_backend": "external", "cnpg_external_host": "mastodon-db-rw.mastodon.svc"}
    run = installed.site("--tags", "cnpg", "-e", json.dumps(settings))
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0
    assert installed.our_writes(mark) == []


def test_check_mode_renders_what_the_lab_does_not_run(installed: Lab) -> None:
    mark, vault = installed.audit_mark(), installed.vault_versions()
    settings = {**EVERYTHING, "rook_external_endpoint": installed.facts["s3_endpoint"]}
    run = installed.site("--check", "--diff", "-e", json.dumps(settings))
    assert run.returncode == 0, run.output[-4000:]
    for subject in (
        "ExternalSecret mastodon/other-s3",
        "Pooler mastodon/mastodon-db-pooler",
        "ObjectStore mastodon/mastodon-db",
        "ScheduledBackup mastodon/mastodon-db",
        "ReplicationSource mastodon/mastodon-system",
        "ExternalSecret mastodon/other-restic",
    ):
        assert f"created {subject}" in run.output
    assert installed.our_writes(mark) == []
    assert installed.vault_versions() == vault
