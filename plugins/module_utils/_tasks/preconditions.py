# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.preconditions`: from options to one table, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn, TypeVar

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import (
    adopted,
    backups,
    ceph,
    cluster,
    domain,
    gateway,
    media_copy,
    vault,
    vault_backup,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Check, SkippedError, find, once
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal import recent
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import answers as site
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects, open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import written_again
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import EVERYTHING, needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail import smtp
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import kinds
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import NoAnswerError, UnknownKeysError
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.bucket import (
    BUCKET_OPTIONS,
    bucket_of,
    way,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    ADOPTED_OPTION,
    BACKUPS_OPTION,
    KINDS_OPTION,
    KV_OPTIONS,
    NODES_OPTION,
    STORAGE_CLASSES_OPTION,
    VAULT_BACKUP_OPTION,
    entries,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as servers
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

T = TypeVar("T")

_NEEDED = {"type": "str", "required": True}
# A path, not a secret.
_PATH = {"type": "str", "required": True, "no_log": False}
_WORDS = {"type": "list", "elements": "str", "required": True}
_NAMES = {"type": "list", "elements": "str", "default": []}

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "adopted": ADOPTED_OPTION,
        "kinds": KINDS_OPTION,
        "rights": entries(resources=_WORDS, namespaces=_NAMES, verbs=_WORDS),
        "gateway": {"type": "dict", "options": gateway.OPTIONS},
        "site": site.SITE_OPTION,
        "nodes": NODES_OPTION,
        "storage_classes": STORAGE_CLASSES_OPTION,
        "vault_rights": entries(path=_NEEDED, capabilities=_WORDS),
        "secrets": {**entries(path=_PATH, keys={**_WORDS, "no_log": False}), "no_log": False},
        "backups": BACKUPS_OPTION,
        "vault_backup": VAULT_BACKUP_OPTION,
        "rehearsed": entries(namespace=_NEEDED, name=_NEEDED),
        "media_copy": {
            "type": "dict",
            "options": {"namespace": _NEEDED, "name": _NEEDED, "hours": {"type": "int", "default": 50}},
        },
        "hosts": _NAMES,
        "zones": _NAMES,
        "nameserver": {"type": "str", "default": ""},
        "smtp": {
            "type": "dict",
            "options": {
                "host": _NEEDED,
                "port": {"type": "int", "default": 587},
                "path": {**_PATH, "required": False, "default": ""},
                "tls": {"type": "bool", "default": False},
                "starttls": {"type": "str", "choices": list(smtp.STARTTLS), "default": "always"},
                "method": {"type": "str", "choices": list(smtp.METHODS), "default": "plain"},
                "verify": {"type": "bool", "default": True},
            },
        },
        "s3": {"type": "dict", "options": {**BUCKET_OPTIONS, "anyone_reads": {"type": "bool", "default": True}}},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: False, findings: [{state, text}]}` after saying them as a table.

    Raises MastodonError with one sentence for each that is failed.
    """
    needs(*EVERYTHING)
    # What makes several of them fail is reported once.
    findings = list(dict.fromkeys(find(check) for check in _checks(parameters, run)))
    for finding in findings:
        run.say(finding.line())
    if failed := [finding.text for finding in findings if finding.state == "failed"]:
        raise CombinedError(failed)
    return {"changed": False, "findings": [vars(finding) for finding in findings]}


def _checks(parameters: Mapping[str, Any], run: Run) -> Iterator[Check]:
    connection = once(lambda: connect(parameters, run.environment))
    server = once(lambda: servers.connect(parameters, run.environment))
    yield from _through(connection, partial(_at_the_cluster, parameters, server))
    yield from _through(server, partial(_at_vault, parameters))
    resolver = Resolver(parameters["nameserver"])
    for host in parameters["hosts"]:
        yield partial(domain.delegation, resolver, host, parameters["zones"])
    yield partial(_mail, parameters, connection, server)
    yield partial(_bucket, parameters, connection, server, run)
    for wanted in parameters["backups"]:
        yield partial(backups.survive, wanted)
    yield partial(_site, parameters, connection, run)


def _refuse(error: MastodonError) -> NoReturn:
    raise error


def _through(way: Callable[[], T], checks: Callable[[T], Iterator[Check]]) -> Iterator[Check]:
    """Return the checks that take this way, or only that there is none."""
    try:
        found = way()
    except MastodonError as error:
        yield partial(_refuse, error)
    else:
        yield from checks(found)


def _at_the_cluster(
    parameters: Mapping[str, Any], server: Callable[[], servers.Vault], connection: Connection
) -> Iterator[Check]:
    client = Client(connection)
    objects = Objects(client)
    yield partial(cluster.version, client, connection.host)
    yield lambda: cluster.clock(client.began, datetime.now(UTC))
    yield partial(cluster.rights, client, parameters["rights"])
    yield partial(_kinds_served, parameters, objects)
    yield from adopted.checks(parameters["adopted"], objects)
    for one in parameters["storage_classes"]:
        yield partial(cluster.storage_class, objects, one["name"], one["wanted_by"])
    if parameters["nodes"]:
        yield partial(cluster.nodes, objects, parameters["nodes"])
    if place := ceph.namespace_of((parameters["s3"] or {}).get("endpoint", "")):
        yield lambda: ceph.healthy(objects, place, datetime.now(UTC))
    for one in parameters["rehearsed"]:
        yield partial(recent.rehearsed, objects, one["namespace"], one["name"], datetime.now(UTC))
    if copied := parameters["media_copy"]:
        yield partial(media_copy.is_fresh, objects, **copied, now=datetime.now(UTC))
    if parameters["vault_backup"]:
        yield partial(_vault_backup, parameters["vault_backup"], objects, server)
    yield partial(_gateway_ready, parameters, objects)


def _kinds_served(parameters: Mapping[str, Any], objects: Objects) -> str:
    if missing := kinds.missing(parameters["kinds"], objects.discover()):
        raise CombinedError(missing)
    return f"Kinds: {', '.join(one['kind'] for one in parameters['kinds']) or 'none'} served, as the cluster must bring them"


def _gateway_ready(parameters: Mapping[str, Any], objects: Objects) -> str:
    if not (wanted := parameters["gateway"]):
        raise SkippedError("Gateway: none is named")
    if problems := gateway.examine(wanted, objects, objects.discover()):
        raise CombinedError(problems)
    place = f"Gateway {wanted['namespace']}/{wanted['name']}"
    return (
        f"{place}: to be of GatewayClass {wanted['gateway_class']}" if wanted["made"] else f"{place}: serves all hosts"
    )


def _at_vault(parameters: Mapping[str, Any], server: servers.Vault) -> Iterator[Check]:
    yield partial(vault.server, server)
    yield partial(vault.capabilities, server, parameters["vault_rights"])
    for one in parameters["secrets"]:
        yield partial(_given, parameters, server, one)


def _given(parameters: Mapping[str, Any], server: servers.Vault, wanted: Mapping[str, Any]) -> str:
    vault.given(server, parameters["mount"], wanted["path"], wanted["keys"])
    return f"Vault secret {parameters['mount']}/{wanted['path']}: has {', '.join(wanted['keys'])}"


def _vault_backup(wanted: Mapping[str, Any], objects: Objects, server: Callable[[], servers.Vault]) -> str:
    last = vault_backup.read(objects, wanted["namespace"], wanted["name"])
    live = {path: kv.read(server(), last.mount, path).written for path in last.paths} if last else {}
    changed = last.changed(live) if last else ""
    return vault_backup.is_fresh(last, changed, wanted["name"], datetime.now(UTC), wanted=wanted["wanted"])


def _mail(
    parameters: Mapping[str, Any], connection: Callable[[], Connection], server: Callable[[], servers.Vault]
) -> str:
    if not (wanted := parameters["smtp"]):
        raise SkippedError("Mail server: none is named")
    path, source = wanted["path"], f"Vault path {parameters['mount']}/{wanted['path']}"
    given = vault.given(server(), parameters["mount"], path, ["username", "password"]) if path else {}
    username, password = given.get("username", ""), given.get("password", "")
    how = {option: wanted[option] for option in ("tls", "starttls", "method", "verify")}
    login = smtp.Login(wanted["host"], wanted["port"], username, password, source, **how)
    return smtp.handshake(login, way(connection, login.host, login.port))


def _site(parameters: Mapping[str, Any], connection: Callable[[], Connection], run: Run) -> str:
    if not (wanted := parameters["site"]):
        raise SkippedError("Mastodon: no address is set")
    try:
        found = site.examine(wanted, connection(), 0, run.say)
    except site.NotAskedError as reason:
        raise SkippedError(f"{site.site_of(wanted)}: not asked: {reason}") from reason
    if found.skipped:
        raise SkippedError(str(found))
    return found.well


def _bucket(
    parameters: Mapping[str, Any], connection: Callable[[], Connection], server: Callable[[], servers.Vault], run: Run
) -> str:
    if not (wanted := parameters["s3"]):
        raise SkippedError("Bucket for media: none is named")
    if run.check:
        raise SkippedError(f"Bucket {wanted['bucket']}: only written and read outside of check mode")
    place = bucket_of(wanted, parameters["mount"], connection, server)
    try:
        return round_trip(place, anyone_reads=wanted["anyone_reads"])
    except NoAnswerError as error:
        raise ceph.explained(error, open_objects(connection()), wanted["endpoint"]) from error
    except UnknownKeysError as error:
        claim = wanted["secret_namespace"], wanted["secret_name"]
        raise error.cured("" if wanted["path"] else written_again(connection(), *claim)) from error


TASK = Task(ARGUMENTS, run_task)
