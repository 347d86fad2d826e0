# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.launch_check`: from options to a result, in the controller or on a target.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import (
    KUBERNETES_OPTIONS,
    Connection,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import read_secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch import keys, ladder, record, stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.keys import Kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._launch.record import Launched
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **vault.VAULT_OPTIONS,
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "local_domain": {"type": "str", "required": True},
        "web_domain": {"type": "str", "default": ""},
        "version": {"type": "str", "required": True},
        "mount": {"type": "str", "default": "secret"},
        # A path, not a key.
        "fingerprint_key": {"type": "str", "required": True, "no_log": False},
        "secrets": {
            "type": "list",
            "elements": "dict",
            "default": [],
            # Where secrets are, not what they are.
            "no_log": False,
            "options": {
                "path": {"type": "str", "required": True},
                "secret": {"type": "str", "required": True, "no_log": False},
                "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
                "permanent": {"type": "list", "elements": "str", "default": []},
            },
        },
        "postgresql": stores.OPTIONS,
        "redis": stores.OPTIONS,
    }
)


def check(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Refuse what a launched Mastodon cannot survive. Raises CombinedError with one sentence for each thing."""
    wanted = ladder.parse(parameters["version"])
    if wanted is None:
        raise MastodonError(
            "Variable mastodon_image_tag", f"{parameters['version']!r} is no release", "", "Write it like v4.7.4."
        )
    connection = connect(parameters, run.environment)
    launched = record.read(Objects(Client(connection)), parameters["namespace"], parameters["name"])
    server = vault.connect(parameters, run.environment)
    mount = parameters["mount"]
    kept = [_kept(one, mount, connection, server, parameters["namespace"]) for one in parameters["secrets"]]
    salt = kv.read(server, mount, parameters["fingerprint_key"]).data.get("key", "")
    found = _problems(launched, wanted, parameters) + (keys.problems(launched, kept, salt) if launched else [])
    # What holds already needs no second look: a patch release asks for nothing new.
    if launched is None or launched.release is None or launched.release.series != wanted.series:
        found += stores.problems(
            parameters, wanted, lambda path: kv.read(server, mount, path).data.get("password", ""), connection, run.say
        )
    if found:
        raise CombinedError(found)
    return {
        "changed": False,
        "launched": launched is not None,
        "version": str(launched.release) if launched and launched.release else "",
        "annotations": _annotations(keys.fingerprints(kept, salt)),
    }


def _kept(one: Mapping[str, Any], mount: str, connection: Connection, server: vault.Vault, namespace: str) -> Kept:
    secret = read_secret(connection, namespace, one["secret"])
    return Kept(
        mount,
        one["path"],
        one["keys"],
        one["permanent"],
        kv.read(server, mount, one["path"]),
        f"{namespace}/{one['secret']}",
        secret.data if secret else {},
    )


def _problems(launched: Launched | None, wanted: ladder.Release, parameters: Mapping[str, Any]) -> list[str]:
    if launched is None:
        return []
    subject = f"Mastodon {parameters['namespace']}/{parameters['name']}"
    local = parameters["local_domain"]
    found = _moved(subject, "mastodon_local_domain", launched.local_domain, local)
    found += _moved(subject, "mastodon_web_domain", launched.web_domain, parameters["web_domain"] or local)
    if launched.release:
        try:
            ladder.check_step(subject, launched.release, wanted)
        except MastodonError as refusal:
            found.append(str(refusal))
    return found


def _moved(subject: str, setting: str, running: str, wanted: str) -> list[str]:
    if running == wanted:
        return []
    why = "other servers know its accounts and posts by that name for good"
    remedy = f"Set {setting} to {running}, or lay down {wanted} as another Mastodon of its own mastodon_name."
    return [str(MastodonError(subject, f"runs as {running} and cannot become {wanted}", why, remedy))]


def _annotations(fingerprints: Mapping[str, str]) -> dict[str, str]:
    return {record.ANNOTATION: record.written(fingerprints)} if fingerprints else {}
