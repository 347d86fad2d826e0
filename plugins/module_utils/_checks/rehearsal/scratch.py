# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cluster that a database is restored into to be looked at, and what it may reach. Pure.

It archives nothing, as it has no plugins, and is let out only to the ports of DNS, the API server and the store of backups, so that
neither subscriptions nor foreign servers of the restored database are reached at theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.archive import PLUGIN
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.origin import Origin
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef

Item = Mapping[str, Any]

# On all that a rehearsal makes; its value is the origin's name.
LABEL = "fediverse.mastodon/rehearsal-of"
# CloudNativePG's, on whatever belongs to a Cluster.
CLUSTER_LABEL = "cnpg.io/cluster"
_SOURCE = "origin"
# As in the origin, so that it is restored as that would be.
_SAME = (
    "storage",
    "walStorage",
    "tablespaces",
    "resources",
    "imagePullSecrets",
    "imagePullPolicy",
    "priorityClassName",
)
_SAME_AFFINITY = ("nodeSelector", "tolerations", "nodeAffinity")
# It would run what is scheduled in the database.
_ACTS = "pg_cron"
_DNS = (
    {"port": 53, "protocol": "UDP"},
    {"port": 53, "protocol": "TCP"},
    {"port": 5353, "protocol": "UDP"},
    {"port": 5353, "protocol": "TCP"},
)
_STATUS_PORT = 8000
_PORT = 5432


@dataclass(frozen=True)
class Login:
    """The database, its owner, and the Secret with the owner's password."""

    database: str
    owner: str
    secret: str


@dataclass(frozen=True)
class Ways:
    """What it has to reach: ports of the API server, and the store in a namespace of this cluster, or outside of it."""

    api_ports: tuple[int, ...]
    store_ports: tuple[int, ...]
    store_namespace: str = ""


def name_of(origin: str) -> str:
    """Return what the Cluster is called that an origin is restored into."""
    return f"{origin}-rehearsal"


def refuse_foreign(item: Item, origin: str) -> None:
    """Raise MastodonError for an object of a rehearsal's name that is none of one."""
    if (item["metadata"].get("labels") or {}).get(LABEL) != origin:
        remedy = f"It has not the label {LABEL}, so it is somebody's: rename it, or delete it."
        raise MastodonError(str(ObjectRef.of(item)), "is in the way", "a rehearsal would be called so", remedy)


def cluster(origin: Origin, login: Login, target: datetime | None, image: str = "") -> dict[str, Any]:
    """Return the Cluster; without a target the newest that there is. With an `image` the origin is imported by it, as it is now."""
    spec = origin.cluster["spec"]
    affinity = {key: at(spec, "affinity", {})[key] for key in _SAME_AFFINITY if key in at(spec, "affinity", {})}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": _metadata(origin),
        "spec": {
            "instances": 1,
            "enablePDB": False,
            **({"imageName": image} if image else _image(origin.cluster)),
            **{key: spec[key] for key in _SAME if spec.get(key)},
            **({"affinity": affinity} if affinity else {}),
            "postgresql": _postgresql(at(spec, "postgresql", {})),
            **(_imported(origin, login) if image else _restored(origin, login, target)),
            "inheritedMetadata": {"labels": {LABEL: origin.name}},
            # Nobody works with it: it need not wait for anybody when it is removed.
            "smartShutdownTimeout": 1,
            "stopDelay": 30,
        },
    }


def _restored(origin: Origin, login: Login, target: datetime | None) -> dict[str, Any]:
    source = {"name": _SOURCE, "plugin": {"name": PLUGIN, "parameters": _archive(origin)}}
    return {"bootstrap": {"recovery": _recovery(login, target)}, "externalClusters": [source]}


def _imported(origin: Origin, login: Login) -> dict[str, Any]:
    """Return how role cnpg has it: https://cloudnative-pg.io/documentation/current/database_import/"""
    host = f"{origin.name}-rw.{origin.namespace}.svc"
    source = {
        "name": _SOURCE,
        "connectionParameters": {"host": host, "user": login.owner, "dbname": login.database, "sslmode": "verify-full"},
        "sslRootCert": {"name": f"{origin.name}-ca", "key": "ca.crt"},
        "password": {"name": login.secret, "key": "password"},
    }
    jobs = ["--jobs=2"]
    imported = {
        "type": "microservice",
        "databases": [login.database],
        "source": {"externalCluster": _SOURCE},
        "pgDumpExtraOptions": jobs,
        "pgRestoreExtraOptions": jobs,
    }
    new = {"database": login.database, "owner": login.owner, "secret": {"name": login.secret}, "import": imported}
    return {"bootstrap": {"initdb": new}, "externalClusters": [source]}


def _metadata(origin: Origin) -> dict[str, Any]:
    return {"name": name_of(origin.name), "namespace": origin.namespace, "labels": {LABEL: origin.name}}


def _image(cluster: Item) -> dict[str, Any]:
    if reference := at(cluster, "spec.imageCatalogRef"):
        return {"imageCatalogRef": reference}
    image = at(cluster, "status.image", "") or at(cluster, "spec.imageName", "")
    return {"imageName": image} if image else {}


def _postgresql(declared: Item) -> dict[str, Any]:
    libraries = [one for one in at(declared, "shared_preload_libraries", []) if one != _ACTS]
    return {
        "parameters": dict(at(declared, "parameters", {})),
        **({"shared_preload_libraries": libraries} if libraries else {}),
        **({"extensions": declared["extensions"]} if declared.get("extensions") else {}),
    }


def _recovery(login: Login, target: datetime | None) -> dict[str, Any]:
    return {
        "source": _SOURCE,
        # Without both CloudNativePG creates others: https://cloudnative-pg.io/documentation/current/recovery/
        "database": login.database,
        "owner": login.owner,
        "secret": {"name": login.secret},
        **({"recoveryTarget": {"targetTime": written(target)}} if target else {}),
    }


def _archive(origin: Origin) -> dict[str, str]:
    return {"barmanObjectName": origin.archive.store_name, "serverName": origin.archive.server}


def policy(origin: Origin, ways: Ways, *, imports: bool = False) -> dict[str, Any]:
    """Return the NetworkPolicy of all its pods. Ports are those behind a Service, as policies are judged there."""
    source = _to_origin(origin) if imports else _to_store(ways)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(origin),
        "spec": {
            "podSelector": {"matchLabels": {CLUSTER_LABEL: name_of(origin.name)}},
            "policyTypes": ["Ingress", "Egress"],
            # The operator asks it how it is, from wherever it runs.
            "ingress": [{"ports": _tcp([_STATUS_PORT])}],
            # By ports alone where addresses change, or are not a pod's, such as the API server's:
            # https://docs.cilium.io/en/stable/security/policy/language/#cidr-based
            "egress": [{"ports": [*_DNS, *_tcp(ways.api_ports)]}, source],
        },
    }


def _to_origin(origin: Origin) -> dict[str, Any]:
    return {"ports": _tcp([_PORT]), "to": [{"podSelector": {"matchLabels": {CLUSTER_LABEL: origin.name}}}]}


def _to_store(ways: Ways) -> dict[str, Any]:
    place = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ways.store_namespace}}}
    return {"ports": _tcp(ways.store_ports), **({"to": [place]} if ways.store_namespace else {})}


def _tcp(ports: Iterable[int]) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in sorted(set(ports))]
