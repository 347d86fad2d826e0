# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that a Mastodon was launched with: another one is refused, unless its data was moved there and the settings say so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import cluster_view as kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.cluster_view import ClusterView
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.mirrors import Mirror, Readers
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at

_TEXT: dict[str, Any] = {"type": "str", "default": ""}
OPTIONS: dict[str, Any] = {
    "type": "dict",
    "default": {},
    "options": {
        "database_hosts": {"type": "list", "elements": "str", "default": []},
        "database_services": {"type": "list", "elements": "str", "default": []},
        "database_name": _TEXT,
        "database_user": _TEXT,
        # Where the login is, not the login.
        "database_secret": {**_TEXT, "no_log": False},
        "cache_host": _TEXT,
        "media_endpoint": _TEXT,
        "media_bucket": _TEXT,
        "gateway_namespace": _TEXT,
        "gateway_name": _TEXT,
        "gateway_class": _TEXT,
        "ceph_namespace": _TEXT,
        "ceph_name": _TEXT,
        "ceph_path": _TEXT,
        "store": _TEXT,
        "store_mount": _TEXT,
        "vault_role": _TEXT,
    },
}

# Where the hosts of the database come from, in this order.
_HOSTS = ("mastodon_postgresql_host", "mastodon_postgresql_direct_host")
# How CloudNativePG, the Dragonfly operator and Rook call their Services.
_CLUSTER = re.compile(r"(.+)-(?:rw|pooler)\.([^.]+)\.svc.*")
_OWNER = "-owner"
_CACHE = re.compile(r"([^.]+)\.([^.]+)\.svc.*")
_STORE = re.compile(r"http://rook-ceph-rgw-([^.]+)\.([^.]+)\.svc.*")


@dataclass(frozen=True)
class Move:
    """Something that was at `old` and is wanted at `new`. `lost` is what that would mean, `back` the setting to put back."""

    what: str
    old: str
    new: str
    lost: str
    back: str


def problems(subject: str, moves: Sequence[Move], declared: Collection[str]) -> list[str]:
    """Return one sentence for each move that was not `declared` by its old place."""
    return [
        str(
            MastodonError(
                subject,
                f"{move.what} is {move.old} and cannot become {move.new}",
                move.lost,
                f"Set {move.back}, or move it yourself and add {move.old} to mastodon_moved_from.",
            )
        )
        for move in moves
        if move.old not in declared
    ]


def of_stores(now: Mapping[str, str], direct_host: str, wanted: Mapping[str, Any]) -> Iterator[Move]:
    """Yield what the settings would move of Mastodon's data, compared with its environment `now`."""
    yield from _database(now, direct_host, wanted)
    yield from _cache(now, wanted)
    yield from _media(now, wanted)


def inferred(mirrors: Iterable[Mirror], readers: Readers) -> dict[str, str]:
    """Return where the database is, of a Mastodon whose release is gone: an ExternalSecret still reads its password."""
    for mirror in mirrors:
        if mirror.secret.endswith(_OWNER) and mirror.place not in readers:
            for (namespace, name), path in readers.items():
                if path == mirror.path and name.endswith(_OWNER):
                    return {"DB_HOST": f"{name.removesuffix(_OWNER)}-rw.{namespace}.svc"}
    return {}


def _database(now: Mapping[str, str], direct_host: str, wanted: Mapping[str, Any]) -> Iterator[Move]:
    hosts, name = wanted["database_hosts"], wanted["database_name"]
    host, running = now.get("DB_HOST", ""), now.get("DB_NAME", "")
    lost = "it would start with an empty one, and what people wrote stays behind"
    same = {host, direct_host or host}
    if same & set(wanted["database_services"]):
        same.update(wanted["database_services"])
    strange = [new for new in hosts if new not in same] if host else []
    if strange:
        old, new = f"{host}/{running}".rstrip("/"), f"{strange[0]}/{name}"
        yield Move("its database", old, new, lost, _back_to_database(host, direct_host or host, wanted, same))
    elif running and name and running != name:
        yield Move("its database", f"{host}/{running}", f"{host}/{name}", lost, f"cnpg_database to {running}")


def _back_to_database(host: str, direct_host: str, wanted: Mapping[str, Any], same: Collection[str]) -> str:
    """Return the settings that lead to it again: of the role that has another one, or those that alone lead elsewhere."""
    hosts = wanted["database_hosts"]
    if any(one in same for one in (*hosts, *wanted["database_services"])):
        olds = zip(_HOSTS, hosts, (host, direct_host), strict=False)
        return " and ".join(f"{setting} to {old}" for setting, new, old in olds if new not in same)
    back = _back(_CLUSTER, host, "cnpg_backend", "cnpg", ("cnpg_cluster_name", "cnpg_cluster_namespace"))
    return back or f"cnpg_external_host to {host}"


def _cache(now: Mapping[str, str], wanted: Mapping[str, Any]) -> Iterator[Move]:
    host, new = now.get("REDIS_HOST", ""), wanted["cache_host"]
    if host and new and host != new:
        back = _back(_CACHE, host, "dragonfly_backend", "dragonfly", ("dragonfly_name", "dragonfly_instance_namespace"))
        lost = "posts and mails that wait in it would never be sent"
        yield Move("its cache", host, new, lost, back or f"dragonfly_external_host to {host}")


def _media(now: Mapping[str, str], wanted: Mapping[str, Any]) -> Iterator[Move]:
    old = now.get("S3_ENDPOINT", ""), now.get("S3_BUCKET", "")
    new = wanted["media_endpoint"], wanted["media_bucket"]
    if not all((*old, *new)) or old == new:
        return
    back = _back(_STORE, old[0], "rook_backend", "rook", ("rook_store_name", "rook_namespace"))
    external = f"rook_backend to external, rook_external_endpoint to {old[0]} and rook_external_bucket to {old[1]}"
    if old[0] == new[0]:
        # The bucket of a claim is called after the claim in one way now and in another once, so its name alone leads back.
        external, back = (
            f"rook_external_bucket to {old[1]}",
            back and f"rook_bucket to {old[1]} and, if you changed it, rook_claim_name back",
        )
    yield Move("its bucket", "/".join(old), "/".join(new), "all media stay behind", back or external)


def _back(pattern: re.Pattern[str], host: str, backend: str, value: str, settings: tuple[str, str]) -> str:
    """Return the settings that lead to a Service again, or nothing when the host is not one of ours."""
    service = pattern.fullmatch(host)
    if not service:
        return ""
    return f"{backend} to {value}, {settings[0]} to {service[1]} and {settings[1]} to {service[2]}"


def of_gateway(view: ClusterView, wanted: Mapping[str, Any], here: tuple[str, str]) -> Iterator[Move]:
    """Yield what the settings would move of the way in, seen from the route of the release `namespace/name`."""
    namespace, name = here
    parents = at(view.one(kinds.ROUTE, name, namespace), "spec.parentRefs", []) if wanted["gateway_name"] else []
    if not parents:
        return
    old = parents[0].get("namespace") or namespace, parents[0]["name"]
    new = wanted["gateway_namespace"], wanted["gateway_name"]
    lost = "people reach it at the old one's address until DNS has changed everywhere"
    if old != new:
        back = f"gateway_namespace to {old[0]} and gateway_name to {old[1]}"
        yield Move("its Gateway", "/".join(old), "/".join(new), lost, back)
    elif wanted["gateway_class"]:
        found = at(view.one(kinds.GATEWAY, new[1], new[0]), "spec.gatewayClassName", "")
        if found and found != wanted["gateway_class"]:
            yield Move("the class of its Gateway", found, wanted["gateway_class"], lost, f"gateway_class to {found}")


def of_secrets(mirror: Mirror | None, readers: Readers, store: Mapping[str, Any]) -> Iterator[Move]:
    """Yield the move of the folder in Vault, seen from what the ExternalSecret of Mastodon's keys reads."""
    read = readers.get(mirror.place, "") if mirror else ""
    if mirror is None or not read:
        return
    mount = at(store, "spec.provider.vault.path", mirror.mount)
    old, new = (f"{mount}/{read}".rpartition("/")[0], f"{mirror.mount}/{mirror.path}".rpartition("/")[0])
    if old != new:
        back = f"vault_path to {read.rpartition('/')[0]}"
        back = back if mount == mirror.mount else f"vault_mount to {mount} and {back}"
        yield Move("the folder of its secrets in Vault", old, new, "the keys it encrypts with are in the old one", back)
