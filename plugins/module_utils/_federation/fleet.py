# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at many instances: so many at once that those that are silent do not keep the others waiting."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import (
    MastodonError,
    unforeseen,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import (
    NO_VERDICT,
    Explain,
    as_seen,
    examine,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding, Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust

# Enough for many that are silent at once. More take no less time, as our own work is what is left, of which Python does one thing at a time;
# and each would be late, and take that for the instance's fault.
AT_ONCE = 16


def examine_all(
    targets: Sequence[Target], vantage: Vantage, resolver: Resolver, trust: Trust, explain: Explain = as_seen
) -> Sequence[Report]:
    """Return a report of each, in their order. Each has a budget of its own, which begins when it is looked at."""

    def one(target: Target) -> Report:
        try:
            return examine(target, vantage, resolver, trust, Budget(), explain=explain)
        except Exception as error:
            return Report(target, vantage.name, [_ended(target, error)])

    with ThreadPoolExecutor(min(AT_ONCE, len(targets))) as pool:
        return list(pool.map(one, targets))


def _ended(target: Target, error: Exception) -> Finding:
    """Return what an error is for the instance that it came of, which leaves the others their reports."""
    if isinstance(error, MastodonError):
        why = error.brief()
        return Finding(Verdict.CANNOT_TELL, target.domain, "was not looked at", why, unseen=True)
    return NO_VERDICT.at(target.domain, unforeseen("", error).why)
