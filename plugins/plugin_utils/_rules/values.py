# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the values of the settings can be meant, by their types and by what their names say they hold.

Ansible checks the types of a role's settings when that role begins; by then the roles before it have written. This
plugin util is PRIVATE to the collection.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.formats import malformed
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.types import mistyped

Spec = Mapping[str, Any]
_TEXT: Spec = {"type": "str"}

# What Rook is asked for, of which the first may be too long though the names that it follows from are not.
CLAIM = ("rook_bucket", "rook_claim_namespace", "mastodon_namespace")
# Where a bucket is, and what it is called.
_BUCKETS = {
    "cnpg_backup_endpoint": "cnpg_backup_bucket",
    "mastodon_s3_endpoint": "mastodon_s3_bucket",
    "rook_external_endpoint": "rook_external_bucket",
    "volsync_endpoint": "volsync_bucket",
}


def wrong(values: Mapping[str, Any], options: Mapping[str, Spec]) -> list[str]:
    """Return one sentence for each value that can't be meant; `options` are the roles' argument specs.

    Values are templated already. A required one that is empty is missing, which others say.
    """
    problems = []
    for name in sorted(values):
        spec = options.get(name, _TEXT)
        value = values[name]
        if value in (None, "") and spec.get("required"):
            continue
        problem = (
            _unknown_part(value, spec)
            or mistyped(value, spec)
            or _wrong_secret(value, spec)
            or _wrong_choice(value, spec)
            or malformed(name, value)
        )
        if problem:
            problems.append(f"Variable {name}: {problem}")
    return problems or _buckets_in_hosts(values)


def claimed_elsewhere(values: Mapping[str, Any]) -> list[str]:
    """Return one sentence when the bucket is claimed in another namespace than Mastodon's; `values` have those of CLAIM then."""
    here, there = values.get("mastodon_namespace"), values.get("rook_claim_namespace")
    if values.get("rook_backend", "rook") != "rook" or not here or not there or here == there:
        return []
    why = f"Rook writes the bucket's keys there, and Mastodon's pods read them in {here}"
    return [f"Variable rook_claim_namespace: {there} is not Mastodon's namespace: {why}. Leave it out."]


def _buckets_in_hosts(values: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each S3 server that is given as `bucket.server`: clients put the bucket there themselves."""
    problems = []
    for endpoint, bucket in _BUCKETS.items():
        scheme, host = urlsplit(values.get(endpoint) or "")[:2]
        if values.get(bucket) and host.startswith(f"{values[bucket]}."):
            server = f"{scheme}://{host.removeprefix(f'{values[bucket]}.')}"
            problems.append(f"Variable {endpoint}: {host} begins with the bucket. Write it like {server}.")
    return problems


def coerced(values: Mapping[str, Any], options: Mapping[str, Spec]) -> dict[str, Any]:
    """Return right values in the types of their argument specs: the command line gives text for everything."""
    specs = {name: _bare(options.get(name, _TEXT)) for name in values}
    return dict(ArgumentSpecValidator(specs).validate(values).validated_parameters)


def _bare(spec: Spec) -> dict[str, Any]:
    return {key: item for key, item in spec.items() if key in ("type", "elements", "options", "no_log")}


def _unknown_part(value: Any, spec: Spec, place: str = "") -> str:
    """Name what a mapping has that nobody reads, wherever in the value it is."""
    for item in value if isinstance(value, list) else [value]:
        options = spec.get("options") or {}
        for key, part in item.items() if isinstance(item, Mapping) and options else ():
            where = f"{place}{key}"
            if key not in options:
                close = difflib.get_close_matches(str(key), options, n=1)
                meant = f"Did you mean {place}{close[0]}?" if close else f"It may hold {', '.join(sorted(options))}."
                return f"{where} is nothing that is read. {meant}"
            if problem := _unknown_part(part, options[key], f"{where}."):
                return problem
    return ""


def _wrong_secret(value: Any, spec: Spec, place: str = "") -> str:
    """Name the secret that was pasted with a line break or the like, and never show it."""
    if not spec.get("no_log"):
        return ""
    if isinstance(value, Mapping):
        parts = (_wrong_secret(part, spec, f"{place}.{key}" if place else str(key)) for key, part in value.items())
        return next(filter(None, parts), "")
    flaw = pasted.flaw(value) if place else ""
    return f"{place} cannot be used: {flaw}. Give it without." if flaw else ""


def _wrong_choice(value: Any, spec: Spec) -> str:
    choices = [str(choice) for choice in spec.get("choices") or ()]
    for item in value if isinstance(value, list) else [value]:
        if choices and str(item) not in choices:
            close = difflib.get_close_matches(str(item), choices, n=1)
            meant = f"Did you mean {close[0]}?" if close else "Choose one of these."
            return f"{item!r} is none of {', '.join(filter(None, choices))}. {meant}"
    return ""
