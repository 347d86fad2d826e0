# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at before a launched Mastodon is touched is what the roles apply."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.record import ANNOTATION, VALUES
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

from .conftest import Site
from .test_alone import FILES, INVENTORIES


@cache
def site(inventory: str) -> Site:
    return Site(**INVENTORIES[inventory])


@cache
def external_secrets(inventory: str) -> list[dict[str, Any]]:
    # Files of tasks, as some are included only when the run gets there.
    applied = (task for role, file in FILES for task in site(inventory).tasks(role, file).values())
    return [item for task in applied for item in task.get("applies", []) if item["kind"] == "ExternalSecret"]


def mirrors(inventory: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site(inventory).value("mastodon_mirrors")
    return found


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_every_external_secret_of_every_role_is_looked_at_before_it_is_applied(inventory: str) -> None:
    namespace = site(inventory).value("mastodon_namespace")
    rendered = {
        (item["metadata"]["namespace"], item["spec"]["target"]["name"]): {
            (entry["secretKey"], entry["remoteRef"]["key"], entry["remoteRef"]["property"])
            for entry in item["spec"]["data"]
        }
        for item in external_secrets(inventory)
    }
    looked_at = {
        (one.get("namespace") or namespace, one["secret"]): {
            (one.get("names", {}).get(key, key), one["path"], key) for key in one["keys"]
        }
        for one in mirrors(inventory)
    }
    assert looked_at == rendered
    assert all(item["metadata"]["name"] == item["spec"]["target"]["name"] for item in external_secrets(inventory)), (
        "the guards know an ExternalSecret by the name of its Secret"
    )


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_every_key_that_is_made_once_is_looked_for_in_the_secret_made_of_it(inventory: str) -> None:
    made = {
        (one["path"], key)
        for one in site(inventory).value("vault_secrets")
        for key in [*(one.get("generate") or {}), *(one.get("vapid") or {}).values()]
    }
    assert {(one["path"], key) for one in mirrors(inventory) for key in one.get("made", [])} == made


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_the_places_are_those_that_the_release_is_given(inventory: str) -> None:
    values = site(inventory).value("mastodon_base_values")
    places = site(inventory).value("mastodon_launch_places")
    assert values["postgresql"]["hostname"] == places["database_hosts"][0]
    assert values["postgresql"]["direct"]["hostname"] == places["database_hosts"][1]
    assert (values["postgresql"]["database"], values["redis"]["hostname"]) == (
        places["database_name"],
        places["cache_host"],
    )
    s3 = values["mastodon"]["s3"]
    assert (s3["endpoint"], s3["bucket"]) == (places["media_endpoint"], places["media_bucket"])
    route = site(inventory).objects("mastodon")["HTTPRoute " + site(inventory).value("mastodon_name")]
    assert {(ref["namespace"], ref["name"]) for ref in route["spec"]["parentRefs"]} == {
        (places["gateway_namespace"], places["gateway_name"])
    }
    store = site(inventory).objects("external_secrets")[f"ClusterSecretStore {places['store']}"]
    vault = store["spec"]["provider"]["vault"]
    assert (vault["auth"]["kubernetes"]["role"], vault["path"]) == (places["vault_role"], places["store_mount"])


def test_the_first_that_is_looked_at_holds_the_keys_that_may_never_change() -> None:
    assert [bool(one.get("permanent")) for one in mirrors("everything")] == [True] + [False] * (
        len(mirrors("everything")) - 1
    )


@pytest.mark.parametrize(
    ("backend", "store", "path"), [("cnpg", "postgresql", "postgresql"), ("dragonfly", "redis", "redis")]
)
def test_a_server_of_yours_is_asked_with_the_password_that_you_give_as_vault_does_not_hold_it_yet(
    backend: str, store: str, path: str
) -> None:
    external = {f"{backend}_backend": "external", f"{backend}_external_host": "server.example.org"}
    given = {"vault_given_secrets": {path: {"password": "given"}}}
    assert Site(**external, **given).value("mastodon_stores")[store]["password"] == "given"
    assert Site(**external).value("mastodon_stores")[store]["password"] == ""


def test_the_server_that_is_asked_is_the_one_that_mastodon_uses() -> None:
    site = Site(
        cnpg_backend="external",
        cnpg_external_host="db.example.org",
        mastodon_postgresql_direct_host="other.example.org",
        mastodon_postgresql_direct_port=6432,
        mastodon_postgresql_database="social",
    )
    asked = site.value("mastodon_stores")["postgresql"]
    assert (asked["host"], asked["port"], asked["database"]) == ("other.example.org", 6432, "social")


@pytest.mark.parametrize("is_new", [False, True])
def test_only_you_say_that_a_database_is_new(is_new: bool) -> None:
    looked = Site(mastodon_database_is_new=is_new).tasks("mastodon", "launched.yml")[
        "Refuse what a running Mastodon cannot survive"
    ]
    assert looked["fediverse.mastodon.launch_check"]["database_is_new"] is is_new


def test_only_services_of_a_cluster_that_is_made_here_lead_to_the_same_database() -> None:
    made = Site().value("mastodon_launch_places")["database_services"]
    assert made == ["mastodon-db-rw.mastodon.svc", "mastodon-db-pooler.mastodon.svc"]
    yours = Site(cnpg_backend="external", cnpg_external_host="db.example.org").value("mastodon_launch_places")
    assert (yours["database_services"], yours["database_hosts"]) == ([], ["db.example.org"] * 2)


def test_what_was_found_of_another_mastodon_in_the_same_play_counts_for_nothing() -> None:
    found = {"mastodon_launch": {"mastodon": "mastodon/mastodon", "annotations": {}}}
    assert Site(**found).value("mastodon_checked") is True
    assert Site(**found, mastodon_name="other").value("mastodon_checked") is False
    assert Site(**found, mastodon_namespace="other").value("mastodon_checked") is False
    assert Site().value("mastodon_checked") is False


LAUNCH = {"launched": True, "installed": True, "version": "v4.7.2", "annotations": {ANNOTATION: "are-primary-key=ab12"}}


def uninstall(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.tasks("mastodon", "uninstall.yml")["Delete Mastodon's release, and keep its secrets"]
    return found


def test_what_is_left_of_one_that_is_uninstalled_says_what_its_release_said() -> None:
    site = Site(mastodon_launch=LAUNCH)
    [left] = [item for item in uninstall(site)["applies"] if item["kind"] == "ConfigMap"]
    values = site.value("mastodon_base_values")
    assert left["data"] == {name: at(values, path) for name, path in VALUES.items()}
    assert left["metadata"]["annotations"] == {
        ANNOTATION: "are-primary-key=ab12",
        "fediverse.mastodon/release": "v4.7.2",
        "fediverse.mastodon/direct-host": values["postgresql"]["direct"]["hostname"],
    }
    # By these it is found, and goes with the first run that installs it again.
    assert left["metadata"]["labels"] == {
        "app.kubernetes.io/name": "mastodon",
        "app.kubernetes.io/instance": "mastodon",
    }
    applied = site.tasks("mastodon", "instance.yml")["Install Mastodon"]["applies"]
    assert left["metadata"]["name"] not in {item["metadata"]["name"] for item in applied}


def environment(site: Site) -> Any:
    return site.value("mastodon_base_values")["mastodon"]["extraEnvVars"]


def test_what_makes_it_leave_is_kept_by_its_release_and_by_what_is_left_of_it() -> None:
    assert "SELF_DESTRUCT" not in environment(Site(mastodon_launch=LAUNCH))
    begins = Site(mastodon_launch={**LAUNCH, "leaving": ""}, mastodon_left={"value": "signed"})
    assert environment(begins)["SELF_DESTRUCT"] == "signed"
    goes_on = Site(mastodon_launch={**LAUNCH, "leaving": "signed"}, mastodon_left={"value": ""})
    assert environment(goes_on)["SELF_DESTRUCT"] == "signed"
    [left] = [item for item in uninstall(goes_on)["applies"] if item["kind"] == "ConfigMap"]
    assert left["data"]["SELF_DESTRUCT"] == "signed"


def test_nothing_remembers_one_that_never_got_up() -> None:
    left = uninstall(Site(mastodon_launch={**LAUNCH, "installed": False}))["applies"]
    assert [item for item in left if item["kind"] == "ConfigMap"] == []


def test_what_goes_when_it_is_uninstalled_is_what_flux_installs_it_by() -> None:
    site = Site(mastodon_launch=LAUNCH)
    flux = [
        f"{item['kind']} {item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in site.tasks("mastodon", "instance.yml")["Install Mastodon"]["applies"]
        if item["kind"].startswith("Helm")
    ]
    assert sorted(uninstall(site)["fediverse.mastodon.apply"]["prune_allow"]) == sorted(flux)


def test_whatever_release_is_configured_the_one_that_runs_can_be_uninstalled() -> None:
    for file, version in (("uninstall.yml", None), ("launched.yml", "v4.5.20")):
        tasks = Site(mastodon_image_tag="v4.5.20").tasks("mastodon", file)
        asked = tasks["Refuse what a running Mastodon cannot survive"]["fediverse.mastodon.launch_check"]
        assert asked["version"] == version
        # One that has left goes by nothing else.
        assert asked["leaving"] is (file == "uninstall.yml")


@pytest.mark.parametrize("typed", [{}, {"uninstall": ""}, {"uninstall": "other.example"}, {"uninstall": "Example.org"}])
def test_before_anything_else_a_mastodon_whose_domain_was_not_typed_is_refused(typed: dict[str, str]) -> None:
    """Also of a play of one's own that imports the role's file."""
    given = Site(**typed)
    name, task = next(iter(given.tasks("mastodon", "uninstall.yml").items()))
    assert name == "Refuse to uninstall a Mastodon that was not named"
    assert not given.rendered(f"{{{{ {task['ansible.builtin.assert']['that']} }}}}")
    assert "Add -e uninstall=example.org if this one is to go." in task["ansible.builtin.assert"]["fail_msg"]


def test_a_mastodon_whose_domain_was_typed_is_uninstalled() -> None:
    given = Site(uninstall="example.org")
    task = next(iter(given.tasks("mastodon", "uninstall.yml").values()))
    assert given.rendered(f"{{{{ {task['ansible.builtin.assert']['that']} }}}}")


@pytest.mark.parametrize(
    ("launched", "found", "sentence"),
    [
        (True, [], ""),
        (True, [{"object": {"spec": {"suspend": False}}}], ""),
        (True, [{"object": {"spec": {}}}], ""),
        (True, [{"object": {"spec": {"suspend": True}}}], "is suspended, so that Flux would leave its pods."),
        (False, [], "is not installed."),
    ],
)
def test_only_what_flux_would_take_away_is_uninstalled(launched: bool, found: list[Any], sentence: str) -> None:
    site = Site(mastodon_launch={**LAUNCH, "launched": launched}, mastodon_found={"objects": found})
    name = "Refuse a release that is not there or suspended"
    task = site.tasks("mastodon", "uninstall.yml")[name]["ansible.builtin.assert"]
    assert site.passes("mastodon", "uninstall.yml", name) is not bool(sentence)
    assert sentence in task["fail_msg"]
