# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbook restore asks of its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Site
from .test_cnpg import BACKUP, NEXT

TYPED = {"restore_domain": "example.org"}
RESTORE = {
    "restore": True,
    "began": "2026-11-29T13:00:00Z",
    "restored_from": "mastodon-db",
    "asked": "2026-11-29T03:00:00Z",
    "emptied": "",
    "back": "",
}


def steps(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = Site(**BACKUP, **TYPED, mastodon_restore=RESTORE, **settings).tasks(
        "mastodon", "restore.yml"
    )
    return found


def refused(name: str, **settings: Any) -> bool:
    site = Site(mastodon_restore=RESTORE, **settings)
    asserted = site.tasks("mastodon", "restore.yml")[name]["ansible.builtin.assert"]["that"]
    return not site.rendered(f"{{{{ {asserted} }}}}")


@pytest.mark.parametrize("typed", [{}, {"restore_domain": ""}, {"restore_domain": "other.example"}])
def test_a_mastodon_whose_domain_was_not_typed_is_refused_first(typed: dict[str, str]) -> None:
    name = "Refuse to restore a Mastodon that was not named"
    assert next(iter(steps())) == name
    assert refused(name, **typed)
    assert not refused(name, **TYPED)


def test_a_database_of_yours_or_one_without_backups_is_refused() -> None:
    name = "Refuse a database that is not backed up here"
    assert refused(name)
    assert refused(name, cnpg_backend="external", cnpg_external_host="db.example.org", cnpg_backup=True)
    assert not refused(name, **BACKUP)


def test_it_begins_with_what_was_asked_for_and_empties_the_cache_that_was_made_here() -> None:
    begun = steps(restore_to="2026-11-29T03:00:00Z")["Begin the restore"]["fediverse.mastodon.database_restore"]
    assert (begun["cluster"], begun["at"], begun["back"]) == ("mastodon-db", "2026-11-29T03:00:00Z", "")
    assert begun["beginning"]["bucket"] == "b"
    assert (begun["redis"]["name"], begun["redis"]["secret_name"]) == ("mastodon-redis", "mastodon-redis")


def test_home_timelines_are_filled_by_a_job_of_each_restore() -> None:
    [job] = steps()["Start to fill home timelines again"]["applies"]
    assert job["metadata"]["name"] == "mastodon-feeds-20261129130000"
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["tootctl", "feeds", "build", "--all"]


def test_mastodon_may_move_from_where_its_database_was_before() -> None:
    assert Site().value("mastodon_moved") == []
    assert Site(**NEXT, mastodon_moved_from=["elsewhere"]).value("mastodon_moved") == [
        "elsewhere",
        "mastodon-db-rw.mastodon.svc/mastodon",
    ]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, []),
        ({"redis": {"sidekiq": {"enabled": True}}}, ["redis.sidekiq.enabled"]),
        ({"redis": {"cache": {"enabled": True}}}, ["redis.cache.enabled"]),
        ({"mastodon": {"extraEnvVars": {"CACHE_REDIS_URL": "redis://other", "OTHER": "1"}}}, ["CACHE_REDIS_URL"]),
        ({"mastodon": {"web": {"extraEnvVars": {"CACHE_REDIS_HOST": "other"}}}}, ["CACHE_REDIS_HOST"]),
        ({"mastodon": {"sidekiq": {"extraEnvVars": {"SIDEKIQ_REDIS_URL": "redis://other"}}}}, ["SIDEKIQ_REDIS_URL"]),
        (
            {"mastodon": {part: {"extraEnvVars": {"SIDEKIQ_REDIS_DB": 1}} for part in ("web", "sidekiq")}},
            ["SIDEKIQ_REDIS_DB"],
        ),
        ({"mastodon": {"streaming": {"extraEnvVars": None}, "extraEnvVars": None}}, []),
    ],
)
def test_queues_that_are_in_another_redis_are_refused(values: dict[str, Any], named: list[str]) -> None:
    name = "Refuse queues and caches that are not in the one Redis"
    assert Site(mastodon_values=values).value("mastodon_other_caches") == named
    assert refused(name, mastodon_values=values) is bool(named)


IMPORTS = {
    "mastodon_imports": True,
    "mastodon_restore": {**RESTORE, "restored_from": "", "image": "new", "former": "mastodon-db"},
}


def test_an_import_wants_no_domain_typed_empties_nothing_and_is_not_held_by_its_image() -> None:
    site = Site(**BACKUP, **IMPORTS, restore_to="ignored", restore_back="ignored")
    tasks = site.tasks("mastodon", "restore.yml")
    for name in (
        "Refuse to restore a Mastodon that was not named",
        "Refuse queues and caches that are not in the one Redis",
        "Start to fill home timelines again",
    ):
        assert not site.rendered(f"{{{{ {tasks[name]['when']} }}}}"), name
    begun = tasks["Begin the restore"]["fediverse.mastodon.database_restore"]
    assert (begun["major"], begun["at"], begun["back"], begun["unrehearsed"]) == (True, "", "", False)
    assert (begun["image"], begun["storage"]) == (
        site.value("cnpg_cluster_image"),
        site.value("mastodon_sizing")["postgresql"]["storage"],
    )
    assert (site.value("mastodon_stores")["postgresql"]["image"], site.value("mastodon_imports_from")) == (
        "",
        "mastodon-db",
    )
    assert Site(**BACKUP, mastodon_restore=RESTORE).value("mastodon_imports_from") == ""


def test_who_goes_back_is_not_held_by_what_was_restored() -> None:
    looked = "Refuse what a running Mastodon cannot survive"
    assert steps()[looked]["fediverse.mastodon.launch_check"]["version"]
    back = steps(restore_back="mastodon-db")[looked]["fediverse.mastodon.launch_check"]
    assert not back["version"]
