# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since an earlier report: what is new, what was mended, and what was not seen this time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Verdict, shown
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
    faults = [one for one in instance["findings"] if one["fault"]]
    now, then = set(map(_key, faults)), set(map(_key, known["faults"]))
    gone = [one for one in known["faults"] if _key(one) not in now]
    seen = _seen(instance["findings"])
    return {
        "since": known["at"],
        "new": [_short(one) for one in faults if _key(one) not in then],
        "mended": [_short(one) for one in gone if one["check"] in seen],
        "unseen": [_short(one) for one in gone if one["check"] not in seen],
        "same": len(now & then),
    }


def _seen(findings: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the checks that came to their end and found something fine: only what they no longer find is mended."""
    fine = {one["check"] for one in findings if one["verdict"] == Verdict.FINE}
    return fine - {one["check"] for one in findings if one["verdict"] == Verdict.CANNOT_TELL}


def _read(finding: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: shown(checked(finding, name, kind=str), _LONGEST) for name in (*_KNOWN, "verdict", "message", "fact")}


def _key(finding: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(finding[name] for name in _KNOWN)


def _short(finding: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: finding[name] for name in (*_KNOWN, "verdict", "message", "fact")}
