# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since an earlier report: what is new, what is wrong otherwise, what was mended, and what was not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict, shown
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.proof import WHOLE
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import (
    WrongShapeError,
    checked,
    objects,
    parsed,
)

# Of the report as JSON; another one cannot be compared.
FORMAT = 1
# By which instance it is, and where it was looked at from.
Earlier = Mapping[tuple[str, str], Mapping[str, Any]]
Finding = Mapping[str, Any]
_KNOWN = ("check", "fault", "subject")
_LONGEST = 400


def earlier(text: bytes) -> Earlier:
    """Return the instances of a report. Raises WrongShapeError for what is none; what it says is shown as all that others write."""
    report = parsed(text)
    if not isinstance(report, Mapping) or report.get("format") != FORMAT:
        raise WrongShapeError("it is no report of this format")
    found = {}
    for one in objects(report, "instances"):
        faults = [_read(finding) for finding in objects(one, "findings") if finding.get("fault")]
        place = (checked(one, "domain", kind=str), checked(one, "vantage", kind=str))
        found[place] = {"at": shown(checked(one, "at", kind=str), 40), "faults": faults}
    return found


def changes(instance: Mapping[str, Any], before: Earlier) -> Mapping[str, Any]:
    """Return what changed, empty when the instance was not looked at from here."""
    known = before.get((instance["domain"], instance["vantage"]))
    if not known:
        return {}
    found = instance["findings"]
    faults = [one for one in found if one["fault"]]
    now, then = set(map(_key, faults)), set(map(_key, known["faults"]))
    gone = [one for one in known["faults"] if _key(one) not in now]
    became = {_key(one): _before(one, gone, found) for one in faults if _key(one) not in then}
    left = [one for one in gone if not any(one in old for old in became.values())]
    fresh = [one for one in faults if _key(one) in became]
    return {
        "since": known["at"],
        "new": [_short(one) for one in fresh if not became[_key(one)]],
        "changed": [{**_short(one), "was": _were(old)} for one in fresh if (old := became[_key(one)])],
        "mended": [_short(one) for one in left if _is_fine(one, found)],
        "unseen": [_short(one) for one in left if not _is_fine(one, found)],
        "same": len(now & then),
    }


def _before(new: Finding, gone: Sequence[Finding], found: Sequence[Finding]) -> Sequence[Finding]:
    """Return what a fault is instead of: others at the same place, or at an address that its host does not lead to any more."""
    seen = {one["subject"] for one in found if one["check"] == new["check"]}
    alike = [one for one in gone if one["check"] == new["check"] and _host(one["subject"]) == _host(new["subject"])]
    return [one for one in alike if one["subject"] == new["subject"] or one["subject"] not in seen]


def _host(subject: str) -> str:
    return subject.partition(" at ")[0]


def _were(before: Sequence[Finding]) -> str:
    return "; ".join(f"{one['subject']}: {one['message']}" for one in before)


def _is_fine(gone: Finding, found: Sequence[Finding]) -> bool:
    """Whether a place where something was wrong was looked at to the end this time, and found fine."""
    same = [one for one in found if one["check"] == gone["check"]]
    here = {one["verdict"] for one in same if _is_at(gone["subject"], one["subject"]) or _is_whole(one["subject"])}
    # Of a check as a whole, some may be skipped.
    unknown = {Verdict.CANNOT_TELL} if _is_whole(gone["subject"]) else {Verdict.CANNOT_TELL, Verdict.SKIPPED}
    return Verdict.FINE in here and not here & unknown


def _is_at(place: str, subject: str) -> bool:
    """Whether a subject is a place, or an address of it; a check as a whole has all places."""
    # Faults name a zone as it is, for commands.
    return _is_whole(place) or subject.removeprefix("zone ") == place or subject.startswith(f"{place} at ")


def _is_whole(subject: str) -> bool:
    return subject == WHOLE or subject.startswith("Check ")


def _read(finding: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: shown(checked(finding, name, kind=str), _LONGEST) for name in (*_KNOWN, "verdict", "message", "fact")}


def _key(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(finding[name] for name in _KNOWN)


def _short(finding: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: finding[name] for name in (*_KNOWN, "verdict", "message", "fact")}
