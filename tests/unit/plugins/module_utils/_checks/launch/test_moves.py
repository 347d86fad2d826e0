# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that a Mastodon was launched with, and Secrets that are not its own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    FOLDER,
    KEYS,
    OWNER,
    PASSWORD,
    PLACES,
    SALT,
    World,
    mirror,
)

NEW = ["new-rw.mastodon.svc", "new-pooler.mastodon.svc"]
RGW = "http://rook-ceph-rgw-media.rook-ceph.svc"


@pytest.mark.parametrize(
    ("places", "reported", "back", "old"),
    [
        (
            {"database_hosts": NEW, "database_services": NEW},
            "its database is mastodon-db-rw.mastodon.svc/mastodon and cannot become new-rw.mastodon.svc/mastodon",
            "cnpg_backend to cnpg, cnpg_cluster_name to mastodon-db and cnpg_cluster_namespace to mastodon",
            "mastodon-db-rw.mastodon.svc/mastodon",
        ),
        (
            {"database_name": "other"},
            "its database is mastodon-db-rw.mastodon.svc/mastodon and cannot become mastodon-db-rw.mastodon.svc/other",
            "cnpg_database to mastodon",
            "mastodon-db-rw.mastodon.svc/mastodon",
        ),
        (
            {"cache_host": "redis.example.org"},
            "its cache is mastodon-redis.mastodon.svc and cannot become redis.example.org",
            "dragonfly_backend to dragonfly, dragonfly_name to mastodon-redis and dragonfly_instance_namespace to mastodon",
            "mastodon-redis.mastodon.svc",
        ),
        (
            {"media_endpoint": "https://s3.example.org", "media_bucket": "media"},
            f"its bucket is {RGW}/mastodon-mastodon-s3 and cannot become https://s3.example.org/media",
            "rook_backend to rook, rook_store_name to media and rook_namespace to rook-ceph",
            f"{RGW}/mastodon-mastodon-s3",
        ),
        (
            {"gateway_namespace": "edge"},
            "its Gateway is gateway-system/shared and cannot become edge/shared",
            "gateway_namespace to gateway-system and gateway_name to shared",
            "gateway-system/shared",
        ),
        (
            {"gateway_class": "cilium"},
            "the class of its Gateway is traefik and cannot become cilium",
            "gateway_class to traefik",
            "traefik",
        ),
    ],
)
def test_a_move_is_refused_until_its_old_place_is_named(
    world: World, places: dict[str, Any], reported: str, back: str, old: str
) -> None:
    world.launch()
    [sentence] = world.refused(places=places)
    assert sentence.startswith(f"Mastodon mastodon/mastodon: {reported}: ")
    assert sentence.endswith(f"Set {back}, or move it yourself and add {old} to mastodon_moved_from.")
    assert world.check(places=places, moved_from=[old])["launched"]


@pytest.mark.parametrize(
    ("environment", "back"),
    [
        ({"DB_HOST": "db.example.org"}, "cnpg_external_host to db.example.org"),
        ({"REDIS_HOST": "redis.example.org"}, "dragonfly_external_host to redis.example.org"),
        (
            {"S3_ENDPOINT": "https://s3.example.org", "S3_BUCKET": "media"},
            "rook_backend to external, rook_external_endpoint to https://s3.example.org and rook_external_bucket to media",
        ),
    ],
)
def test_servers_of_yours_are_not_left_either(world: World, environment: dict[str, str], back: str) -> None:
    world.launch(**environment)
    assert f"Set {back}, or" in world.refused()[0]


def test_a_bucket_of_a_claim_is_kept_by_its_own_name(world: World) -> None:
    world.launch()
    [reported] = world.refused(places={"media_bucket": "my--people-mastodon-s3"})
    assert "its bucket is http://rook-ceph-rgw-media.rook-ceph.svc/mastodon-mastodon-s3 and cannot become" in reported
    assert (
        "Set rook_bucket to mastodon-mastodon-s3 and, if you changed it, rook_claim_name back, or move it yourself"
        in reported
    )


def test_a_pooler_that_is_turned_on_or_off_moves_no_database(world: World) -> None:
    world.launch()
    pooled = {"database_hosts": list(reversed(PLACES["database_hosts"]))}
    assert world.check(places=pooled)["launched"]
    world.config_map(DB_HOST="mastodon-db-pooler.mastodon.svc")
    assert world.check()["launched"]
    assert world.check(places=pooled)["launched"]


def test_a_pooler_that_is_renamed_moves_no_database(world: World) -> None:
    world.launch(DB_HOST="old.mastodon.svc")
    [release] = [one for one in world.api.objects.values() if one["kind"] == "HelmRelease"]
    stores = {"hostname": "old.mastodon.svc", "direct": {"hostname": "mastodon-db-rw.mastodon.svc"}}
    release["spec"]["values"]["postgresql"] = stores
    assert world.check()["launched"]
    # A release that was led elsewhere already says nothing of the database that is at work.
    release["spec"]["values"]["postgresql"] = {**stores, "hostname": "mastodon-db-rw.mastodon.svc"}
    assert "its database is old.mastodon.svc/mastodon and cannot become" in world.refused()[0]


@pytest.mark.parametrize(
    ("hosts", "setting"),
    [
        (["other.example.org", "mastodon-db-rw.mastodon.svc"], "mastodon_postgresql_host"),
        (["mastodon-db-rw.mastodon.svc", "other.example.org"], "mastodon_postgresql_direct_host"),
    ],
)
def test_no_host_alone_leads_to_another_database(world: World, hosts: list[str], setting: str) -> None:
    world.launch()
    assert world.refused(places={"database_hosts": hosts}) == [
        "Mastodon mastodon/mastodon: its database is mastodon-db-rw.mastodon.svc/mastodon and cannot become "
        "other.example.org/mastodon: it would start with an empty one, and what people wrote stays behind. Set "
        f"{setting} to mastodon-db-rw.mastodon.svc, or move it yourself and add mastodon-db-rw.mastodon.svc/mastodon to "
        "mastodon_moved_from."
    ]


def test_a_server_of_yours_is_not_left_for_a_service_of_a_cluster_that_never_held_it(world: World) -> None:
    world.launch(DB_HOST="db.example.org")
    hosts = ["mastodon-db-pooler.mastodon.svc", "db.example.org"]
    [reported] = world.refused(places={"database_hosts": hosts})
    assert (
        "its database is db.example.org/mastodon and cannot become mastodon-db-pooler.mastodon.svc/mastodon" in reported
    )
    assert "Set mastodon_postgresql_host to db.example.org, or" in reported


def test_another_folder_in_vault_is_refused_and_nothing_is_made_in_it(world: World) -> None:
    world.launch()
    moved = [mirror("other/app", "mastodon-app", KEYS, permanent=["are-primary-key"])]
    assert world.refused(secrets=moved, fingerprint_key="other/fingerprint") == [
        f"Mastodon mastodon/mastodon: the folder of its secrets in Vault is secret/{FOLDER} and cannot become secret/other: the "
        f"keys it encrypts with are in the old one. Set vault_path to {FOLDER}, or move it yourself and add secret/{FOLDER} to "
        "mastodon_moved_from."
    ]
    declared = world.refused(secrets=moved, fingerprint_key="other/fingerprint", moved_from=[f"secret/{FOLDER}"])
    assert "Vault path secret/other/app: is empty: Secret mastodon/mastodon-app holds it" in declared[0]
    world.store("other/app", KEYS)
    assert world.check(secrets=moved, moved_from=[f"secret/{FOLDER}"])["launched"]


def test_another_mount_is_refused(world: World) -> None:
    world.launch()
    reported = world.refused(mount="kv", places={"store_mount": "kv"})
    assert f"Set vault_mount to secret and vault_path to {FOLDER}, or" in reported[0]


def test_a_store_that_would_read_other_keys_than_are_made_is_refused(world: World) -> None:
    other = {"store_mount": "kv"}
    refusal = (
        "ClusterSecretStore vault-mastodon: would read the mount kv, and the secrets are in secret: Mastodon would get other keys "
        "than those it encrypts with. Set external_secrets_vault_mount to secret."
    )
    assert world.refused(places=other) == [refusal]
    world.launch()
    assert world.refused(places=other) == [refusal]
    assert refusal in world.refused(places=other, moved_from=[f"secret/{FOLDER}"])


def test_the_database_of_a_release_that_is_gone_is_known_by_who_reads_its_password(world: World) -> None:
    for path, data in ((APP, KEYS), (OWNER, PASSWORD), (SALT, {"key": "ab" * 32})):
        world.store(path, data)
    world.external_secret("mastodon/mastodon-db-owner", OWNER)
    wanted = [mirror(APP, "mastodon-app", KEYS), mirror(OWNER, "new-owner", PASSWORD)]
    reported = world.refused(secrets=wanted, places={"database_hosts": ["new-rw.mastodon.svc"]})
    assert reported[0].startswith(
        "Mastodon mastodon/mastodon: its database is mastodon-db-rw.mastodon.svc and cannot become new-rw.mastodon.svc/mastodon"
    )


SMTP = mirror(f"{FOLDER}/smtp", "mastodon-smtp", {"username": "", "password": ""}, made=[])


def test_a_secret_of_somebody_else_is_not_overwritten_with_other_values(world: World) -> None:
    world.store(f"{FOLDER}/smtp", {"username": "u", "password": "right-canary"})
    world.secret("mastodon/mastodon-smtp", {"username": "u", "password": "theirs-canary"}, own=False)
    assert world.refused(secrets=[SMTP]) == [
        f"Secret mastodon/mastodon-smtp: was not created from Vault path secret/{FOLDER}/smtp: it would be overwritten, and holds "
        "another password. If the Secret is right, write it to Vault: kubectl get secret -n mastodon mastodon-smtp -o json | jq "
        '\'.data | map_values(@base64d) | {"password": ."password"}\' | bao kv patch -mount=secret mastodon/example.org/smtp -; '
        "if not, delete it: kubectl delete secret -n mastodon mastodon-smtp."
    ]


@pytest.mark.parametrize("theirs", [{"username": "u", "password": "p"}, {"username": "u"}, {"mine": "kept"}, {}])
def test_a_secret_with_the_same_values_may_be_adopted(world: World, theirs: dict[str, str]) -> None:
    world.store(f"{FOLDER}/smtp", {"username": "u", "password": "p"})
    world.secret("mastodon/mastodon-smtp", theirs, own=False)
    assert world.check(secrets=[SMTP])["launched"] is False


def test_a_secret_that_vault_does_not_know_is_written_there_first(world: World) -> None:
    world.secret("mastodon/mastodon-smtp", {"username": "u", "password": "p-canary"}, own=False)
    assert "holds another username, password" in world.refused(secrets=[SMTP])[0]


@pytest.mark.parametrize("synced", [True, False])
def test_a_secret_of_its_own_follows_vault(world: World, synced: bool) -> None:
    world.store(f"{FOLDER}/smtp", {"username": "u", "password": "new"})
    world.secret("mastodon/mastodon-smtp", {"username": "u", "password": "old"})
    world.external_secret("mastodon/mastodon-smtp", f"{FOLDER}/smtp", synced=synced)
    assert world.check(secrets=[SMTP])["launched"] is False


def test_the_keys_of_somebody_elses_secret_are_not_overwritten_either(world: World) -> None:
    world.store(APP, KEYS)
    world.secret("mastodon/mastodon-app", {**KEYS, "secret-key-base": "theirs-canary"}, own=False)
    assert "it would be overwritten, and holds another secret-key-base" in world.refused()[0]


@pytest.mark.parametrize(
    ("api_version", "kind", "place", "setting"),
    [
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "postgres/cloudnative-pg", "cnpg_namespace"),
        ("fluxcd.controlplane.io/v1", "FluxInstance", "gitops/flux", "flux_namespace"),
    ],
)
def test_an_operator_is_not_installed_a_second_time(
    world: World, api_version: str, kind: str, place: str, setting: str
) -> None:
    world.put(api_version, kind, place, metadata={"managedFields": [{"manager": "somebody"}]})
    assert world.check()["launched"] is False
    namespace, _unused, name = place.partition("/")
    world.put(api_version, kind, place, metadata={"managedFields": [{"manager": "fediverse.mastodon"}]})
    [reported] = world.refused()
    assert reported.startswith(f"{kind} {place}: is installed already: a second one in ")
    assert reported.endswith(f"Set {setting} to {namespace}.")
    wanted = [{"kind": kind, "name": name, "namespace": namespace, "setting": setting}]
    assert world.check(operators=wanted)["launched"] is False


@pytest.mark.parametrize(
    ("places", "reported"),
    [
        ({"ceph_name": "other"}, "holds the media: Rook runs one a namespace, and other would be an empty one. Set"),
        ({"ceph_path": "/mnt"}, "keeps its state in /var/lib/rook and cannot go on in /mnt: its monitors"),
    ],
)
def test_a_ceph_that_runs_keeps_its_name_and_its_place(world: World, places: dict[str, str], reported: str) -> None:
    assert world.check(places=places)["launched"] is False
    world.put("ceph.rook.io/v1", "CephCluster", "rook-ceph/rook-ceph", spec={"dataDirHostPath": "/var/lib/rook"})
    assert world.check()["launched"] is False
    assert reported in world.refused(places=places)[0]
    assert world.check(places={"ceph_name": ""})["launched"] is False


def test_a_database_keeps_its_owner(world: World) -> None:
    world.launch()
    template = {"template": {"data": {"username": "mastodon"}}}
    spec = {"data": [{"remoteRef": {"key": OWNER}}], "target": template}
    world.put("external-secrets.io/v1", "ExternalSecret", "mastodon/mastodon-db-owner", spec=spec)
    assert world.check()["launched"]
    assert world.refused(places={"database_user": "other"}) == [
        "Database mastodon: belongs to mastodon and cannot be used as other: its owner is set once. Set cnpg_username to mastodon."
    ]
    assert world.check(places={"database_user": ""})["launched"]
