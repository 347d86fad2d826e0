# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for terminals: what changed, then all that was found, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import ORDER, Verdict

PAGES = "https://github.com/fediverse/mastodon-kubernetes/blob/main/docs/federation"
DAYS = (
    "After seven days of failures other servers mark this one as unavailable, and send nothing more until it writes to them first or somebody "
    "resets it there: that cannot be seen from here."
)
# How a change is called: what of it is in the report, and how it is counted.
CHANGES = (("new", "new"), ("changed", "changed"), ("mended", "mended"), ("unseen", "not looked at this time"))


def table(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one instance, or of many what is wrong with each, after how many are well."""
    instances = report["instances"]
    if len(instances) == 1:
        yield from lines(instances[0])
        return
    yield f"{sum(one['passed'] for one in instances)} of {len(instances)} are proved to be well"
    for instance in worst_first(instances):
        yield from lines(only_wrong(instance))


def worst_first(instances: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return them with those first that have not passed, and of these the worst."""
    return sorted(instances, key=lambda one: (one["passed"], ORDER.index(one["verdict"])))


def only_wrong(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an instance with its faults alone."""
    return {**instance, "findings": [finding for finding in instance["findings"] if finding["fault"]]}


def lines(instance: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is fine in a line each, and of all else who loses what, why, and what to do."""
    yield f"{instance['domain']} as seen from {instance['vantage']}: {instance['summary']}"
    yield from _changes(instance.get("changes") or {})
    yield way(instance["links"])
    for finding in instance["findings"]:
        yield f"{finding['verdict']:11}  {sentence(finding)}"
        if finding["fault"]:
            yield from (f"{'':11}  {line}" for line in _explanation(finding))
    if is_cut(instance):
        yield f"{Verdict.NOTE:11}  {DAYS}"


def sentence(finding: Mapping[str, Any]) -> str:
    """Return what was found."""
    return f"{': '.join(part for part in (finding['subject'], finding['message'], finding['fact']) if part)}."


def way(chain: Sequence[Mapping[str, str]]) -> str:
    """Return the links in one line."""
    return " → ".join(f"{link['name']} {link['state']}" for link in chain)


def is_cut(instance: Mapping[str, Any]) -> bool:
    """Whether others try again, and give up in the end."""
    return any(finding["verdict"] == Verdict.CUT for finding in instance["findings"])


def counted(changes: Mapping[str, Any]) -> str:
    """Return how much changed, and since when."""
    numbers = [f"{len(changes[name])} {words}" for name, words in CHANGES]
    return f"Since {changes['since']}: {', '.join(numbers)}, {changes['same']} as before"


def _changes(changes: Mapping[str, Any]) -> Iterator[str]:
    if changes:
        yield counted(changes)
        for name, words in CHANGES:
            yield from (f"{words}: {changed(finding)}" for finding in changes[name])


def changed(finding: Mapping[str, Any]) -> str:
    """Return what was found, and what before in its place."""
    return f"{sentence(finding)} Before, {finding['was']}." if finding.get("was") else sentence(finding)


def likely(finding: Mapping[str, Any]) -> str:
    """Return how sure a cause is."""
    return "Cause" if finding.get("proved") else "Likely cause"


def _explanation(finding: Mapping[str, Any]) -> Iterator[str]:
    yield finding["loses"]
    if finding["cause"]:
        yield f"{likely(finding)}: {finding['cause']}."
        yield f"Next: {finding['next']}"
    yield f"See {PAGES}/{finding['link']}"
