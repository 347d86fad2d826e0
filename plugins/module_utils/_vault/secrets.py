# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are made once: what is missing is generated and stored by check-and-set, what is there is left alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import pasted
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import copies, generate, kv
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.client import Vault

_READERS = 8
# A race is lost to somebody who wrote; their version is then complete or is added to.
_ROUNDS = 3
_FINGERPRINT = {"generate": {"key": {"format": "hex", "bytes": 32}}}


@dataclass(frozen=True)
class Change:
    """What one path becomes. `reasons` maps each changed key to `generated` or `given`."""

    path: str
    before: kv.Stored
    data: Mapping[str, str] = field(repr=False)
    reasons: Mapping[str, str]

    @property
    def action(self) -> str:
        """Return created, configured or unchanged."""
        if not self.reasons:
            return "unchanged"
        return "configured" if self.before.version else "created"


def plan(mount: str, wanted: Mapping[str, Any], stored: kv.Stored) -> Change:
    """Return what the path must become. Raises MastodonError where going on would lose or fake a secret."""
    path = wanted["path"]
    subject = f"Vault path {mount}/{path}"
    if stored.gone:
        raise _gone(subject, mount, path, stored)
    given = {key: value for key, value in (wanted.get("given") or {}).items() if stored.data.get(key) != value}
    # What is replaced need not be right.
    _refuse_pasted(mount, wanted, {**stored.data, **given})
    _refuse_malformed(subject, wanted, stored.data)
    made = _generated(subject, wanted, stored.data)
    data = {**stored.data, **made, **given}
    lacking = [key for key in wanted.get("required") or [] if not data.get(key)]
    if lacking:
        remedy = kv.how_to_give(mount, path, lacking, is_there=bool(stored.version), mounted=stored.mounted)
        raise MastodonError(subject, f"{', '.join(lacking)} missing", "only you can give it", remedy)
    return Change(path, stored, data, {**dict.fromkeys(made, "generated"), **dict.fromkeys(given, "given")})


def _gone(subject: str, mount: str, path: str, stored: kv.Stored) -> MastodonError:
    if stored.destroyed:
        why = f"version {stored.version} was destroyed and is not created again"
        return MastodonError(subject, "is destroyed", why, "Restore it from a backup of Vault.")
    why = f"version {stored.version} was deleted at {stored.gone} and is not created again"
    remedy = f"Bring it back: {copies.undelete(mount, path, stored.version)}."
    return MastodonError(subject, "is deleted", why, remedy)


def _refuse_pasted(mount: str, wanted: Mapping[str, Any], data: Mapping[str, object]) -> None:
    """Raise MastodonError for what people gave and nothing can use. What else lies there is nobody's business here."""
    used = {*(wanted.get("given") or ()), *(wanted.get("required") or ())} & data.keys()
    flaws = {key: flaw for key in sorted(used) if data[key] and (flaw := pasted.flaw(data[key]))}
    if flaws:
        message = "; ".join(f"{key}: {flaw}" for key, flaw in flaws.items())
        remedy = kv.how_to_give(mount, wanted["path"], list(flaws), is_there=True)
        raise MastodonError(f"Vault path {mount}/{wanted['path']}", "cannot be used", message, remedy)


def _refuse_malformed(subject: str, wanted: Mapping[str, Any], data: Mapping[str, str]) -> None:
    specs = wanted.get("generate") or {}
    for spec in specs.values():
        generate.known_format(spec)
    for key in (*specs, *_pair(wanted)):
        flaw = generate.flaw(data[key]) if key in data else ""
        if flaw:
            raise MastodonError(
                subject, f"{key} is malformed", flaw, "Restore the right value; it is never created again."
            )


def _pair(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    vapid = wanted.get("vapid")
    return (vapid["private_key"], vapid["public_key"]) if vapid else ()


def _doubts(mount: str, wanted: Mapping[str, Any], data: Mapping[str, str]) -> list[str]:
    """Return what is wrong with keys that Mastodon runs with all the same: they may be at work."""
    pair = _pair(wanted)
    if not all(name in data for name in pair) or not pair:
        return []
    flaw = generate.vapid_flaw(*(data[name] for name in pair))
    message = (
        f"Vault path {mount}/{wanted['path']}: no browser will get push notifications: {flaw}. Restore the right pair."
    )
    return [message] if flaw else []


def _generated(subject: str, wanted: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, str]:
    made = {key: generate.generate(spec) for key, spec in (wanted.get("generate") or {}).items() if key not in data}
    pair = _pair(wanted)
    there = [name for name in pair if name in data]
    if len(there) == 1:
        lost = next(name for name in pair if name not in data)
        raise MastodonError(
            subject, f"{lost} missing", f"{there[0]} is there without it", "Restore the pair from a backup."
        )
    return {**made, **dict(zip(pair, generate.vapid_pair(), strict=True))} if pair and not there else made


def ensure(
    vault: Vault, mount: str, wanted: Sequence[Mapping[str, Any]], fingerprint_key: str | None, *, check: bool
) -> list[dict[str, Any]]:
    """Make what is missing and return `{path, version, action, keys, fingerprints, reasons, doubts}` for each path, never a value."""
    marker = [{**_FINGERPRINT, "path": fingerprint_key}] if fingerprint_key else []
    everything = [*marker, *wanted]
    # All are planned before the first is written, so that one that is refused stops all.
    with ThreadPoolExecutor(_READERS) as readers:
        changes = list(readers.map(lambda one: _planned(vault, mount, one), everything))
    done = [_settle(vault, mount, one, change, check) for one, change in zip(everything, changes, strict=True)]
    salt = done[0][0].data.get("key", "") if marker and (done[0][1] or not check) else ""
    return [
        {**_result(change, version, salt), "doubts": _doubts(mount, one, change.data)}
        for one, (change, version) in zip(everything, done, strict=True)
    ]


def _planned(vault: Vault, mount: str, wanted: Mapping[str, Any]) -> Change:
    change = plan(mount, wanted, kv.read(vault, mount, wanted["path"]))
    made = [key for key, reason in change.reasons.items() if reason == "generated"]
    if made:
        copies.refuse_older(vault, mount, change.path, change.before, made)
    return change


def _settle(vault: Vault, mount: str, wanted: Mapping[str, Any], change: Change, check: bool) -> tuple[Change, int]:
    """Write the change, or take over what the winner of a race wrote. Returns what now holds and its version."""
    for _round in range(_ROUNDS):
        if check or not change.reasons:
            return change, change.before.version
        try:
            return change, kv.write(vault, mount, change.path, change.data, change.before.version)
        except kv.LostRaceError:
            change = _planned(vault, mount, wanted)
    raise MastodonError(f"Vault path {mount}/{change.path}", "is written by others all the time", "", "Run again.")


def _result(change: Change, version: int, salt: str) -> dict[str, Any]:
    prints = (
        {key: fingerprint(salt, change.path, key, value) for key, value in sorted(change.data.items())} if salt else {}
    )
    return {
        "path": change.path,
        "version": version,
        "action": change.action,
        "keys": sorted(change.data),
        "reasons": dict(change.reasons),
        # In check mode a generated value is thrown away: its fingerprint would be of nothing.
        "fingerprints": {key: value for key, value in prints.items() if version or key not in change.reasons},
    }


def fingerprint(salt: str, path: str, key: str, value: str) -> str:
    """Return 12 hex digits by which a value can be recognised, but not guessed without the key that lies in Vault."""
    try:
        secret = bytes.fromhex(salt)
    except (TypeError, ValueError) as error:
        why = "it is not what was generated"
        raise MastodonError(
            "The key of fingerprints in Vault", "cannot be used", why, "Restore the right value."
        ) from error
    return hmac.new(secret, f"{path}\0{key}\0{value}".encode(), hashlib.sha256).hexdigest()[:12]


def lines(results: Iterable[Mapping[str, Any]], mount: str) -> list[str]:
    """Return one line for each path that changed."""
    return [
        f"{result['action']} secret {mount}/{result['path']}: "
        + ", ".join(f"{key} {reason}" for key, reason in sorted(result["reasons"].items()))
        for result in results
        if result["action"] != "unchanged"
    ]
