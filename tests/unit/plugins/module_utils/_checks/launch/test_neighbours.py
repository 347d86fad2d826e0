# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two Mastodons on one cluster: never on one domain, nor with one name for what is in no namespace."""

from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing, Selection
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    OWNER,
    PASSWORD,
    World,
    mirror,
)

SECOND = (
    "Mastodon mastodon/mastodon: has example.org already: a second one at elsewhere/mastodon would be empty, and take its "
    "addresses away. Set mastodon_namespace to mastodon."
)


def test_another_namespace_is_refused_with_the_one_to_put_back(world: World) -> None:
    world.launch()
    assert world.refused(namespace="elsewhere") == [SECOND]


def test_another_name_is_refused_with_the_one_to_put_back(world: World) -> None:
    world.launch()
    assert "Set mastodon_name to mastodon." in world.refused(name="other")[0]
    assert (
        "Set mastodon_namespace to mastodon and mastodon_name to mastodon." in world.refused(namespace="n", name="m")[0]
    )


@pytest.mark.parametrize("gone", ["ConfigMap", "HelmRelease", "both"])
def test_whatever_is_left_of_it_tells_where_it_was(world: World, gone: str) -> None:
    world.launch()
    for kind, name in (("ConfigMap", "mastodon-env"), ("HelmRelease", "mastodon")):
        if gone in (kind, "both"):
            world.remove(kind, name)
    assert "Set mastodon_namespace to mastodon" in world.refused(namespace="elsewhere")[0]


def test_a_host_of_another_mastodon_is_refused(world: World) -> None:
    world.launch()
    world.config_map("other", "other", LOCAL_DOMAIN="o.org", WEB_DOMAIN="social.example.org")
    third = [mirror("mastodon/t.org/app", "mastodon-app", KEYS, permanent=["are-primary-key"])]
    reported = world.refused(namespace="third", local_domain="t.org", web_domain="social.example.org", secrets=third)
    assert "Mastodon other/other: has social.example.org already" in reported[0]


def test_the_keys_of_another_mastodon_are_not_shared(world: World) -> None:
    world.launch()
    reported = world.refused(namespace="third", local_domain="t.org")
    assert reported[0].startswith(
        "Mastodon third/mastodon: would be the second one with the same keys: ExternalSecret mastodon/mastodon-app reads them"
    )
    assert "or vault_path to a folder of its own;" in reported[0]


def test_what_failed_to_install_elsewhere_is_no_mastodon(world: World) -> None:
    labels = {"app.kubernetes.io/name": "mastodon", "app.kubernetes.io/instance": "m"}
    data = {"LOCAL_DOMAIN": "example.org"}
    world.put("v1", "ConfigMap", "old/m-mastodon-env-predeploy", metadata={"labels": labels}, data=data)
    assert world.check()["launched"] is False


def test_a_release_is_found_where_flux_installs_it(world: World) -> None:
    world.store(APP, KEYS)
    world.helm_release("flux-system/m")
    [release] = world.api.objects.values()
    release["spec"] |= {"targetNamespace": "social"}
    keys = [mirror(APP, "mastodon-app", KEYS)]
    assert world.refused(secrets=keys)[0].startswith("Mastodon social/social-m: has example.org already")
    release["spec"] |= {"releaseName": "mastodon", "targetNamespace": "mastodon"}
    assert world.check(secrets=keys)["launched"]


def test_a_release_that_was_never_installed_binds_nobody_to_its_settings(world: World) -> None:
    for path, data in ((APP, KEYS), (OWNER, PASSWORD)):
        world.store(path, data)
    world.helm_release()
    [release] = world.api.objects.values()
    release["spec"]["values"] |= {"image": {"tag": "v4.7.99"}, "postgresql": {"hostname": "typo-rw.mastodon.svc"}}
    release["status"] = {"history": [{"appVersion": "v4.7.99", "status": "failed"}]}
    assert world.check(local_domain="corrected.org")["version"] == ""
    assert "or delete HelmRelease mastodon/mastodon, which was never installed." in world.refused(namespace="n")[0]
    release["status"]["history"].append({"appVersion": "v4.7.98", "status": "superseded"})
    assert "cannot go back from v4.7.99" in world.refused()[0]
    assert "its database is typo-rw.mastodon.svc" in world.refused()[1]


def test_a_store_of_another_mastodon_is_not_taken(world: World) -> None:
    world.cluster_secret_store("mastodon-other.org", "social")
    reported = world.refused()
    assert reported == [
        "ClusterSecretStore vault-mastodon: belongs to another Mastodon: it logs in as mastodon-other.org, for social. Set "
        "mastodon_name, or external_secrets_store, to a name of its own."
    ]


@pytest.mark.parametrize(("role", "namespace"), [("renamed", "mastodon"), ("mastodon-example.org", "elsewhere")])
def test_a_store_of_its_own_may_change(world: World, role: str, namespace: str) -> None:
    world.cluster_secret_store(role, namespace)
    assert world.check()["launched"] is False


def test_a_credential_of_another_mastodon_in_a_shared_namespace_is_not_taken(world: World) -> None:
    dns = mirror(
        "mastodon/example.org/dns", "external-dns-mastodon", {"api-token": ""}, namespace="external-dns", made=[]
    )
    world.external_secret("external-dns/external-dns-mastodon", "mastodon/other.org/dns")
    assert world.refused(secrets=[dns]) == [
        "ExternalSecret external-dns/external-dns-mastodon: belongs to another Mastodon: it reads mastodon/other.org. Set "
        "mastodon_name, or what it is called after, to a name of its own."
    ]
    world.external_secret("external-dns/external-dns-mastodon", "mastodon/example.org/dns")
    assert world.check(secrets=[dns])["launched"] is False


def test_a_folder_that_was_moved_takes_its_credentials_along(world: World) -> None:
    world.external_secret("mastodon/mastodon-app", "old/app")
    world.external_secret("external-dns/external-dns-mastodon", "old/dns")
    world.store(APP, KEYS)
    dns = mirror(
        "mastodon/example.org/dns", "external-dns-mastodon", {"api-token": ""}, namespace="external-dns", made=[]
    )
    wanted = [mirror(APP, "mastodon-app", KEYS, permanent=["are-primary-key"]), dns]
    assert world.check(secrets=wanted, moved_from=["secret/old"])["launched"] is False


def test_rights_in_one_namespace_are_enough_to_look_into_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.launch()
    read = world.api.read

    def only_here(selection: Selection) -> Listing:
        if selection.resource.namespaced and (not selection.namespace or selection.resource.kind == "FluxInstance"):
            raise world.api.forbidden(selection)
        return read(selection)

    monkeypatch.setattr(world.api, "read", only_here)
    assert world.check(operators=[])["launched"]
    assert "cannot become other.org" in world.refused(operators=[], local_domain="other.org")[0]


def test_a_secret_is_made_of_one_path(world: World) -> None:
    keys = mirror(APP, "mastodon-app", KEYS, permanent=["are-primary-key"])
    twice = [keys, mirror(OWNER, "mastodon-app", PASSWORD)]
    assert (
        f"Secret mastodon/mastodon-app: would be made of two paths of Vault: {APP} and {OWNER}. Set what it is called after, such as "
        "dragonfly_name, to a name of its own."
    ) in world.refused(secrets=twice)
    assert not world.check(secrets=[keys, keys])["launched"], "where several read one, they are the same"
