# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a secret that its path has lost: as long as there is one, or may be one, nothing is created again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault


def refuse_older(vault: Vault, mount: str, path: str, newest: kv.Stored, lost: Sequence[str]) -> None:
    """Raise MastodonError when a version before `newest` holds one of the keys that were `lost`, or may hold it."""
    for version in kv.older(vault, mount, path, newest):
        held = [key for key in lost if version.data.get(key)]
        if version.gone:
            why = f"version {version.version} is deleted and may hold it, so it is not created again"
            remedy = f"Check it: {undelete(mount, path, version.version)}, and run again."
        elif held:
            why = f"version {version.version} holds it, so it is not created again"
            source = f"bao kv get -mount={mount} -version={version.version} -format=json {path}"
            remedy = f"Bring it back: {source} | {write(mount, path, newest, {key: key for key in held}, '.data.data')}"
        else:
            continue
        raise MastodonError(f"Vault path {mount}/{path}", f"{', '.join(held or lost)} missing", why, remedy)


def undelete(mount: str, path: str, version: int) -> str:
    """Return the command that brings a deleted version back."""
    return f"bao kv undelete -mount={mount} -versions={version} {path}"


def from_cluster(mount: str, path: str, newest: kv.Stored, secret: str, names: Mapping[str, str]) -> str:
    """Return the command that writes keys of the Secret `namespace/name` to a path, each under the key it maps to."""
    namespace, _unused, name = secret.partition("/")
    decoded = ".data | map_values(@base64d)"
    return f"kubectl get secret -n {namespace} {name} -o json | {write(mount, path, newest, names, decoded)}"


def write(mount: str, path: str, newest: kv.Stored, names: Mapping[str, str], source: str) -> str:
    """Return the end of a pipe that writes only these keys of the JSON at `source`, and leaves all others of the path."""
    chosen = ", ".join(f"{json.dumps(key)}: .{json.dumps(name)}" for name, key in sorted(names.items()))
    verb = "patch" if newest.data else "put"
    return f"jq '{source} | {{{chosen}}}' | bao kv {verb} -mount={mount} {path} -"
