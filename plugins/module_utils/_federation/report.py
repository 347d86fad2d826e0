# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that was found, worst first, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.certificates import now
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import links
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import BAD, ORDER, Finding, Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output import table
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.proof import lacking
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target


@dataclass(frozen=True)
class Report:
    """What came of one look from one place."""

    target: Target
    vantage: str
    findings: Sequence[Finding]
    at: datetime = field(default_factory=now)

    @property
    def verdict(self) -> Verdict:
        """The worst, and lost where nothing was found well: who asked nothing knows nothing."""
        if not any(finding.verdict is Verdict.FINE for finding in self.findings):
            return min((one.verdict for one in self.findings), key=ORDER.index, default=Verdict.LOST)
        return min((finding.verdict for finding in self.findings), key=ORDER.index)

    @property
    def passed(self) -> bool:
        """Whether it is proved that posts come in and accounts are found, and nothing is lost or cut off."""
        return not any(one.verdict in BAD for one in self.findings) and not any(lacking(self.findings))

    def lines(self) -> Iterator[str]:
        """Yield the table for terminals."""
        return table.lines(self.plain(self.findings))

    @property
    def summary(self) -> str:
        """How many there are of each verdict."""
        counted = [(verdict, sum(one.verdict is verdict for one in self.findings)) for verdict in ORDER]
        return ", ".join(f"{number} {verdict}" for verdict, number in counted if number) or "nothing was looked at"

    def plain(self, findings: Sequence[Finding]) -> Mapping[str, Any]:
        """Return it as maps and lists, with some of its findings."""
        return {
            "domain": self.target.domain,
            "vantage": self.vantage,
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "verdict": str(self.verdict),
            "passed": self.passed,
            "summary": self.summary,
            "links": links(self.findings),
            "findings": [_plain(finding) for finding in findings],
        }


def sorted_findings(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return them worst first, and otherwise in the order of the checks."""
    return sorted(findings, key=lambda finding: ORDER.index(finding.verdict))


def _plain(finding: Finding) -> Mapping[str, Any]:
    cause = finding.cause
    return {
        "check": finding.check,
        "verdict": str(finding.verdict),
        "subject": finding.subject,
        "message": finding.message,
        "fact": finding.fact,
        "fault": finding.fault,
        "loses": finding.loses,
        "cause": cause.why if cause else "",
        "next": cause.next if cause else "",
        "proved": bool(cause and cause.proved),
        "link": finding.link,
    }
