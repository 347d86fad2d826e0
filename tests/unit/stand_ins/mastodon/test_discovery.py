# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in import VERSION, discovery
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME
from mastodon_stand_in.settings import Site

INSTANCE_ACTOR = Account(INSTANCE_ACTOR_ID, INSTANCE_ACTOR_NAME, "PEM")


def self_link(site: Site, resource: str | None, alice: Account) -> str | None:
    by_name, by_id = {"alice": alice}, {alice.id: alice, INSTANCE_ACTOR_ID: INSTANCE_ACTOR}
    found = discovery.webfinger(site, resource, lambda name: by_name.get(name.lower()), by_id.get)
    if found is None:
        return None
    (link,) = (link for link in found["links"] if link["rel"] == "self")
    assert link["type"] == "application/activity+json"
    return str(link["href"])


@pytest.mark.parametrize(
    ("resource", "href"),
    [
        ("acct:alice@lab.test", "https://social.lab.test/ap/users/7"),
        ("acct:Alice@LAB.test", "https://social.lab.test/ap/users/7"),
        ("alice@lab.test", "https://social.lab.test/ap/users/7"),
        ("@alice@lab.test", "https://social.lab.test/ap/users/7"),
        ("acct:alice@social.lab.test", "https://social.lab.test/ap/users/7"),
        ("https://social.lab.test/@alice", "https://social.lab.test/ap/users/7"),
        ("https://social.lab.test/users/alice", "https://social.lab.test/ap/users/7"),
        ("https://social.lab.test/ap/users/7", "https://social.lab.test/ap/users/7"),
        ("acct:lab.test@lab.test", "https://social.lab.test/actor"),
        ("https://social.lab.test/", "https://social.lab.test/actor"),
        ("https://social.lab.test/actor", "https://social.lab.test/actor"),
        ("acct:bob@lab.test", None),
        ("acct:alice@elsewhere.test", None),
        ("https://elsewhere.test/@alice", None),
        ("https://social.lab.test/ap/users/8", None),
        ("https://social.lab.test/about", None),
    ],
)
def test_webfinger_finds_whom_a_resource_names(site: Site, alice: Account, resource: str, href: str | None) -> None:
    assert self_link(site, resource, alice) == href


@pytest.mark.parametrize("resource", [None, "", "alice", "acct:alice"])
def test_webfinger_refuses_what_is_no_resource(site: Site, alice: Account, resource: str | None) -> None:
    with pytest.raises(RefusalError, match="neither acct:user@domain nor an address"):
        self_link(site, resource, alice)


def test_the_subject_is_on_the_local_domain(site: Site, alice: Account) -> None:
    found = discovery.webfinger(site, "acct:alice@social.lab.test", lambda _name: alice, lambda _id: None)
    assert found is not None
    assert found["subject"] == "acct:alice@lab.test"


def test_an_actor_names_its_own_id(site: Site, alice: Account) -> None:
    document = discovery.actor(site, alice)
    assert document["id"] == "https://social.lab.test/ap/users/7"
    assert document["publicKey"]["owner"] == document["id"]
    assert (document["type"], document["preferredUsername"]) == ("Person", "alice")
    assert discovery.actor(site, INSTANCE_ACTOR)["type"] == "Application"


def test_the_instance_says_domain_version_streaming_and_vapid_key(site: Site) -> None:
    document = discovery.instance(site, "KEY", users=1, registrations="none")
    assert (document["domain"], document["version"]) == ("lab.test", VERSION)
    assert document["configuration"]["vapid"] == {"public_key": "KEY"}
    assert "stand-in" in document["title"]


@pytest.mark.parametrize(
    ("mode", "enabled", "approval"), [("none", False, False), ("approved", True, True), ("open", True, False)]
)
def test_the_instance_says_who_may_sign_up(site: Site, mode: str, enabled: bool, approval: bool) -> None:
    found = discovery.instance(site, "KEY", users=1, registrations=mode)["registrations"]
    assert (found["enabled"], found["approval_required"]) == (enabled, approval)


def test_nodeinfo_is_mastodons_shape() -> None:
    document = discovery.nodeinfo(users=2, posts=3)
    assert document["version"] == "2.0"
    assert document["software"] == {"name": "mastodon", "version": VERSION}
    assert document["usage"]["localPosts"] == 3


def test_host_meta_points_to_webfinger_on_the_web_domain(site: Site) -> None:
    template = "https://social.lab.test/.well-known/webfinger?resource={uri}"
    assert discovery.host_meta(site)["links"][0]["template"] == template
    assert f'template="{template}"' in discovery.host_meta_xml(site)
