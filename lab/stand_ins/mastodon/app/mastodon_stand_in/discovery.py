# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other servers ask first, as documents: WebFinger, host-meta, NodeInfo, instance and actors. No sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from mastodon_stand_in import VERSION
from mastodon_stand_in.accounts import Account
from mastodon_stand_in.errors import HttpRefusalError, RefusalError
from mastodon_stand_in.migrations import INSTANCE_ACTOR_ID
from mastodon_stand_in.pictures import TYPES
from mastodon_stand_in.settings import Site
from mastodon_stand_in.statuses import MAX_CHARACTERS, MAX_PICTURES

ACTIVITY = "application/activity+json"
_PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
_SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"

Find = Callable[[str], Account | None]
FindById = Callable[[int], Account | None]


def actor_path(account: Account) -> str:
    """Return the path of an actor's id: numeric, as for all accounts made since Mastodon 4.5."""
    return "/actor" if account.id < 0 else f"/ap/users/{account.id}"


def webfinger(site: Site, resource: str | None, find: Find, find_by_id: FindById) -> dict[str, Any] | None:
    """Answer whom a resource names; None when nobody here. Raise RefusalError when it is not a resource
    at all, HttpRefusalError when it is gone."""
    account = _resolve(site, resource or "", find, find_by_id)
    if account is None:
        return None
    if account.is_gone:
        raise HttpRefusalError(410, "Gone")
    url = site.url(actor_path(account))
    is_instance = account.id < 0
    page = site.url("/about/more?instance_actor=true" if is_instance else f"/@{account.username}")
    links = [
        {"rel": _PROFILE_PAGE, "type": "text/html", "href": page},
        {"rel": "self", "type": ACTIVITY, "href": url},
    ]
    if not is_instance:
        links.append({"rel": _SUBSCRIBE, "template": site.url("/authorize_interaction?uri={uri}")})
    return {
        "subject": f"acct:{account.username}@{site.local_domain}",
        "aliases": [url] if is_instance else [page, url],
        "links": links,
    }


def _resolve(site: Site, resource: str, find: Find, find_by_id: FindById) -> Account | None:
    instance_actor = find_by_id(INSTANCE_ACTOR_ID)
    if re.match(r"https?://", resource):
        url = urlsplit(resource)
        if url.hostname not in site.hosts:
            return None
        if url.path in ("", "/", "/actor"):
            return instance_actor
        if by_id := re.fullmatch(r"/ap/users/(\d+)", url.path):
            return find_by_id(int(by_id[1]))
        by_name = re.fullmatch(r"/(?:@|users/)([^/]+)", url.path)
        return find(by_name[1]) if by_name else None
    username, at, domain = resource.removeprefix("acct:").removeprefix("@").rpartition("@")
    if not at:
        raise RefusalError(f"Resource {resource!r}: it is neither acct:user@domain nor an address.")
    if domain.lower() not in site.hosts:
        return None
    return instance_actor if username.lower() == site.local_domain else find(username)


def host_meta(site: Site) -> dict[str, Any]:
    """Say where WebFinger is."""
    return {"links": [{"rel": "lrdd", "template": _webfinger_template(site)}]}


def host_meta_xml(site: Site) -> str:
    """Say the same in XRD."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
        f'<Link rel="lrdd" template="{_webfinger_template(site)}"/></XRD>\n'
    )


def _webfinger_template(site: Site) -> str:
    return site.url("/.well-known/webfinger?resource={uri}")


def nodeinfo_links(site: Site) -> dict[str, Any]:
    """Say where NodeInfo is."""
    rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
    return {"links": [{"rel": rel, "href": site.url("/nodeinfo/2.0")}]}


def nodeinfo(users: int, posts: int) -> dict[str, Any]:
    """Describe the software and its use (https://nodeinfo.diaspora.software/protocol)."""
    return {
        "version": "2.0",
        "software": {"name": "mastodon", "version": VERSION},
        "protocols": ["activitypub"],
        "services": {"outbound": [], "inbound": []},
        "usage": {"users": {"total": users, "activeMonth": users, "activeHalfyear": users}, "localPosts": posts},
        "openRegistrations": False,
        "metadata": {"nodeName": "Mastodon (stand-in)", "nodeDescription": ""},
    }


def instance(site: Site, vapid_public_key: str, users: int, registrations: str) -> dict[str, Any]:
    """Describe the instance to clients (https://docs.joinmastodon.org/entities/Instance/)."""
    return {
        "domain": site.local_domain,
        "title": "Mastodon (stand-in)",
        "version": VERSION,
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A stand-in that keeps Mastodon's contract with its installation. It is not Mastodon.",
        "usage": {"users": {"active_month": users}},
        "languages": ["en"],
        "configuration": {
            "urls": {"streaming": site.streaming_base_url},
            "vapid": {"public_key": vapid_public_key},
            "statuses": {"max_characters": MAX_CHARACTERS, "max_media_attachments": MAX_PICTURES},
            "media_attachments": {"supported_mime_types": list(TYPES)},
        },
        "registrations": {
            "enabled": registrations != "none",
            "approval_required": registrations == "approved",
            "message": None,
        },
        "api_versions": {"mastodon": 1},
        "rules": [],
    }


def instance_v1(site: Site, users: int, posts: int) -> dict[str, Any]:
    """Describe the instance to old clients (https://docs.joinmastodon.org/entities/V1_Instance/)."""
    return {
        "uri": site.local_domain,
        "title": "Mastodon (stand-in)",
        "version": VERSION,
        "urls": {"streaming_api": site.streaming_base_url},
        "stats": {"user_count": users, "status_count": posts, "domain_count": 0},
        "registrations": False,
    }


def actor(site: Site, account: Account) -> dict[str, Any]:
    """Describe an actor (https://docs.joinmastodon.org/spec/activitypub/)."""
    url = site.url(actor_path(account))
    is_instance = account.id < 0
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": url,
        "type": "Application" if is_instance else "Person",
        "preferredUsername": account.username,
        "inbox": f"{url}/inbox",
        "outbox": f"{url}/outbox",
        "url": site.url("/about/more?instance_actor=true" if is_instance else f"/@{account.username}"),
        "endpoints": {"sharedInbox": site.url("/inbox")},
        "publicKey": {"id": f"{url}#main-key", "owner": url, "publicKeyPem": account.public_key},
    }
