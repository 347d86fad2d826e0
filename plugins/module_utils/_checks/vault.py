# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Vault says of our token and of the secrets that only people can give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import checked, texts
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import health, kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

# https://developer.hashicorp.com/vault/docs/concepts/tokens: root may do everything whatever its policies say.
_ALL = "root"


def server(vault: Vault) -> str:
    """Report that it is unsealed and accepts the token."""
    found = health.check(vault)
    lasts = f"for {found.ttl} s more" if found.ttl else "without end"
    return f"{vault.subject}: version {found.version}, unsealed, accepts the token {lasts}"


def capabilities(vault: Vault, wanted: Sequence[Mapping[str, Any]]) -> str:
    """Report that the token has all that is `wanted`: dicts of `path` and `capabilities`, in Vault's words."""
    paths = [one["path"] for one in wanted]
    has = vault.call(
        "asking for the token's rights",
        'path "sys/capabilities-self" { capabilities = ["update"] }',
        lambda: _capabilities(vault, paths),
    )
    if rules := list(_missing(has, wanted)):
        remedy = f"Give the token a policy with {' '.join(rules)}."
        raise MastodonError(vault.subject, "the token lacks rights", f"{len(rules)} of {len(paths)} paths", remedy)
    return f"{vault.subject}: the token may do all that role vault does"


def _capabilities(vault: Vault, paths: Sequence[str]) -> dict[str, list[str]]:
    data = checked(vault.api.write_data("sys/capabilities-self", data={"paths": paths}), "data", kind=dict)
    return {path: texts(data, path) for path in paths}


def _missing(has: Mapping[str, Sequence[str]], wanted: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in wanted:
        held = has.get(one["path"]) or []
        if _ALL not in held and not set(one["capabilities"]) <= set(held):
            names = ", ".join(f'"{capability}"' for capability in one["capabilities"])
            yield f'path "{one["path"]}" {{ capabilities = [{names}] }}'


def given(vault: Vault, mount: str, path: str, keys: Sequence[str]) -> Mapping[str, str]:
    """Return a secret that only people can give. Raises MastodonError naming the keys that are not there or not usable."""
    found = kv.read(vault, mount, path)
    if missing := [key for key in keys if not found.data.get(key)]:
        remedy = kv.how_to_give(mount, path, missing, is_there=bool(found.version), mounted=found.mounted)
        raise MastodonError(f"Vault secret {mount}/{path}", "is not complete", f"no {', '.join(missing)}", remedy)
    if flaws := [f"{key}: {flaw}" for key in keys if (flaw := pasted.flaw(found.data[key]))]:
        remedy = kv.how_to_give(mount, path, keys, is_there=True)
        raise MastodonError(f"Vault secret {mount}/{path}", "cannot be used", "; ".join(flaws), remedy)
    return found.data
