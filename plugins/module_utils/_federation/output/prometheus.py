# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for Prometheus, as its text files are: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import BROKEN, LINKS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import ORDER

Sample = tuple[Mapping[str, str], float]
_ABOUT = {
    "passed": "Whether it is proved that posts come in and accounts are found, and nothing is lost or cut off.",
    "findings": "How much was found of each verdict.",
    "fault": "What is wrong, by the check that found it; docs/federation has a page for each.",
    "first_broken": "Whether this is the first link of the way to the instance that is broken.",
    "timestamp_seconds": "When it was looked at.",
}


def prometheus(report: Mapping[str, Any]) -> str:
    """Return gauges of all instances, each with its domain and vantage."""
    made = {"passed": _passed, "findings": _findings, "fault": _faults, "first_broken": _links}
    made["timestamp_seconds"] = _time
    text: list[str] = []
    for name, samples in made.items():
        text += [f"# HELP federation_check_{name} {_ABOUT[name]}", f"# TYPE federation_check_{name} gauge"]
        for instance in report["instances"]:
            place = {"domain": instance["domain"], "vantage": instance["vantage"]}
            text += [_line(name, {**place, **labels}, value) for labels, value in samples(instance)]
    return "\n".join(text) + "\n"


def _passed(instance: Mapping[str, Any]) -> Iterator[Sample]:
    yield {}, instance["passed"]


def _findings(instance: Mapping[str, Any]) -> Iterator[Sample]:
    counted = Counter(finding["verdict"] for finding in instance["findings"])
    yield from (({"verdict": str(verdict)}, counted[verdict]) for verdict in ORDER)


def _faults(instance: Mapping[str, Any]) -> Iterator[Sample]:
    """Count them by what they are: a subject names addresses and paths, and each would be a series of its own."""
    wrong = [finding for finding in instance["findings"] if finding["fault"]]
    for (check, fault, verdict), number in Counter(
        (one["check"], one["fault"], one["verdict"]) for one in wrong
    ).items():
        yield {"check": check, "fault": fault, "verdict": verdict}, number


def _links(instance: Mapping[str, Any]) -> Iterator[Sample]:
    states = {link["name"]: link["state"] for link in instance["links"]}
    yield from (({"link": name}, states[name] == BROKEN) for name in LINKS)


def _time(instance: Mapping[str, Any]) -> Iterator[Sample]:
    yield {}, datetime.strptime(instance["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"federation_check_{name}{{{said}}} {int(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
